import { describe, expect, it } from 'vitest';
import { createDynamoClient } from '#aws/clients.ts';
import { createTable } from '#aws/create-table.ts';
import { createDynamoTable } from '#aws/dynamo-table.ts';
import { isOpsError } from '#core/errors.ts';
import { readFlagDefinition } from '#flags/flag-definition.ts';
import { readAudit } from '#flags/store/audit.ts';
import { changeFlag } from '#flags/store/change-flag.ts';
import { createFlagReader } from '#flags/store/flag-view.ts';
import { planKill, planPut } from '#flags/store/plan-change.ts';
import { createFlagUsage, readUsage } from '#flags/store/usage.ts';
import { dynamoAbsence, startDynamoServer } from '#test/aws/dynamodb-server.ts';
import { s3Credentials } from '#test/aws/s3-server.ts';

const flagOf = (percentage: number) =>
  readFlagDefinition(
    { state: 'ENABLED', variants: { on: true, off: false }, defaultVariant: 'off', rollout: { variant: 'on', percentage } },
    'flag',
  );

describe.skipIf(dynamoAbsence !== undefined)(`flags on DynamoDB over the wire${dynamoAbsence ? ` (${dynamoAbsence})` : ''}`, () => {
  it('keep every change of writers at once, and show it to readers of other processes', async () => {
    const server = await startDynamoServer();
    const access = { endpoint: server.endpoint, region: 'us-east-1', credentials: s3Credentials };
    const clients = [createDynamoClient(access), createDynamoClient(access)] as const;
    try {
      await createTable(clients[0], 'flags');
      const [own, other] = clients.map((client) => createDynamoTable({ client, tableName: 'flags' }));
      const files = async () => new Map();
      let [ids, nowMs] = [0, Date.parse('2026-11-27T12:00:00Z')];
      const deps = (table: typeof own) => ({ table: table!, files, now: () => nowMs, newId: () => `id${++ids}` });
      const read = createFlagReader(other!, files);
      expect((await read('a')).flags.size).toBe(0);
      const put = async (table: typeof own, key: string, percentage: number): Promise<void> => {
        try {
          await changeFlag(deps(table), { tenant: 'a', key, by: 'ann', reason: '' }, (current) =>
            planPut(current, flagOf(percentage), 'any', false),
          );
        } catch (error) {
          if (!isOpsError(error, 'unavailable')) throw error;
          await put(table, key, percentage);
        }
      };
      await Promise.all(
        ['x', 'y/ü', 'z#1'].flatMap((key) => [1, 2, 3].map((percentage) => put(percentage % 2 ? own : other, key, percentage))),
      );
      for (const key of ['x', 'y/ü', 'z#1']) {
        const audit = await readAudit(own!, 'a', key, { limit: 10 });
        expect(audit.map(({ version }) => version)).toEqual([3, 2, 1]);
      }
      const view = await read('a');
      expect([view.version, view.flags.size, view.flags.get('x')?.version]).toEqual([9, 3, 3]);
      await changeFlag(deps(own), { tenant: 'a', key: 'x', by: 'ann', reason: '' }, (current) =>
        planKill(current, { at: '', by: 'ann', reason: '' }),
      );
      expect((await read('a')).flags.get('x')?.compiled?.kill).toMatchObject({ by: 'ann', variant: 'off' });
      const usage = createFlagUsage(own!, () => nowMs);
      for (let i = 0; i < 40; i++) usage.note('a', `flag-${i}`, 'on', 'bulk');
      nowMs += 60_000;
      await usage.flush();
      expect(await readUsage(other!, 'a')).toHaveLength(40);
    } finally {
      for (const client of clients) client.destroy();
      await server.stop();
    }
  }, 60_000);
});
