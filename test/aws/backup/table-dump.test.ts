import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createDynamoDump } from '#aws/backup/table-dump.ts';
import { createDynamoClient } from '#aws/clients.ts';
import { createTable } from '#aws/create-table.ts';
import { createDynamoTable } from '#aws/dynamo-table.ts';
import { encodeItemLine } from '#backups/self/item-line.ts';
import { openSelfSource } from '#backups/self/self-source.ts';
import { openSelfTarget } from '#backups/self/self-target.ts';
import { openLocal } from '#local/open.ts';
import { createSqliteDump } from '#local/sqlite-dump.ts';
import { createMemoryBlobs } from '#ports/memory/memory-blobs.ts';
import type { TableDump } from '#ports/table-dump.ts';
import { dynamoAbsence, startDynamoServer } from '#test/aws/dynamodb-server.ts';
import { credentials, restoreAll, takeAll } from './table-fixtures.ts';

async function linesOf(dump: TableDump): Promise<string[]> {
  const moment = await dump.begin();
  const lines: string[] = [];
  for await (const item of moment.scan()) lines.push(encodeItemLine(item));
  await moment.close();
  return lines.sort();
}

describe.skipIf(dynamoAbsence !== undefined)('a dump of a DynamoDB table', () => {
  it('has every item over many pages, and moves from one machine to the cloud and back', async () => {
    const server = await startDynamoServer();
    const folder = await mkdtemp(join(tmpdir(), 'quarterdeck-dump-'));
    try {
      const client = createDynamoClient({ endpoint: server.endpoint, region: 'us-east-1', credentials });
      await createTable(client, 'catalog');
      const local = await openLocal(join(folder, 'first'), () => 5);
      await local.table.batch(
        Array.from({ length: 300 }, (_, i) => ({
          kind: 'put',
          item: {
            pk: `p${i % 7}`,
            sk: String(i),
            n: i / 3,
            text: 'x'.repeat(9_000),
            flag: i % 2 === 0,
            bytes: new Uint8Array([i % 256]),
            list: [1, 2],
          },
        })),
      );
      const before = await linesOf(createSqliteDump(join(folder, 'first', 'table.db'), () => 5));
      const up = await takeAll(openSelfSource({ dump: createSqliteDump(join(folder, 'first', 'table.db'), () => 5), blobs: local.blobs }));
      await local.close();
      const table = createDynamoTable({ client, tableName: 'catalog' });
      const dump = createDynamoDump({ client, tableName: 'catalog' }, () => 6);
      const blobs = createMemoryBlobs();
      expect(await restoreAll(openSelfTarget({ table, blobs }), up.items, 50_000)).toEqual([]);
      expect(await linesOf(dump)).toEqual(before);
      const source = openSelfSource({ dump, blobs });
      const down = await takeAll(source);
      expect(await source.guarantee()).toMatchObject({ consistency: 'fuzzy' });
      const second = await openLocal(join(folder, 'second'), () => 5);
      expect(await restoreAll(openSelfTarget(second), down.items, 50_000)).toEqual([]);
      await second.close();
      expect(await linesOf(createSqliteDump(join(folder, 'second', 'table.db'), () => 5))).toEqual(before);
    } finally {
      await server.stop();
      await rm(folder, { recursive: true });
    }
  });
});
