import { randomBytes } from 'node:crypto';
import { DeleteItemCommand, DeleteTableCommand, type DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { DynamoDBStreamsClient } from '@aws-sdk/client-dynamodb-streams';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openChangeStream } from '#aws/backup/change-stream.ts';
import { dropTable } from '#aws/backup/drop-table.ts';
import { openTableChangeLog } from '#aws/backup/table-change-log.ts';
import { describeTable } from '#aws/backup/table-definition.ts';
import { openTableSource } from '#aws/backup/table-source.ts';
import { isFreshTable, openTableTarget } from '#aws/backup/table-target.ts';
import { walkShards } from '#aws/backup/walk-shards.ts';
import { createDynamoClient } from '#aws/clients.ts';
import { BackupsFile } from '#backups/jobs/backups-file.ts';
import type { JobRun } from '#backups/jobs/job.ts';
import { openPlannedRepository } from '#backups/jobs/job-deps.ts';
import { performCapture } from '#backups/jobs/perform-capture.ts';
import { type DrillJobDeps, performDrill } from '#backups/jobs/perform-drill.ts';
import { performRestore, RestoreRequest } from '#backups/jobs/perform-restore.ts';
import { performSnapshot } from '#backups/jobs/perform-snapshot.ts';
import type { Performed } from '#backups/jobs/run-jobs.ts';
import { listSnapshots } from '#backups/repository/snapshots.ts';
import type { BackupPlaces } from '#ports/backup-places.ts';
import { createMemoryBlobs } from '#ports/memory/memory-blobs.ts';
import { createMemoryTable } from '#ports/memory/memory-table.ts';
import { dynamoAbsence, type StandIn, startDynamoServer } from '#test/aws/dynamodb-server.ts';
import { unlock } from '#test/backups/kit.ts';
import { seededRandom } from '#test/storage/seeded-random.ts';
import { createOrders, credentials, linesOf, order, putAll, quickRetry } from './table-fixtures.ts';

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
const retry = { ...quickRetry, sleep: (ms: number) => pause(Math.min(ms, 20)) };
const tableOf = (name: string) => name.slice('dynamodb:'.length);

describe.skipIf(dynamoAbsence !== undefined)('a table whose changes are kept', () => {
  let server: StandIn;
  let client: DynamoDBClient;
  let streams: DynamoDBStreamsClient;
  beforeAll(async () => {
    server = await startDynamoServer();
    const options = { endpoint: server.endpoint, region: 'us-east-1', credentials };
    client = createDynamoClient(options);
    streams = new DynamoDBStreamsClient(options);
  });
  afterAll(() => server?.stop());

  /** Places with the stand-in's tables, whose streams know of a change at once. */
  function createPlaces(): BackupPlaces {
    const blobs = createMemoryBlobs({ clock: Date.now });
    const clock = Date.now;
    const sourceOf = (tableName: string, moment = false) =>
      openTableSource({
        ...{ client, tableName, clock, retry, segments: 2, partBytes: 600, pageItems: 5, settleMs: 50, clockMarginMs: 0 },
        ...(moment ? { moment: { streams } } : {}),
      });
    return {
      openStore: async () => ({ blobs }),
      openSource: async (name, { moment }) => sourceOf(tableOf(name), moment),
      openTarget: async (name, { overwrite }) => openTableTarget({ client, tableName: tableOf(name), clock, retry, inPlace: overwrite }),
      isEmpty: (name) => isFreshTable({ client, tableName: tableOf(name) }),
      async openScratch(_, id) {
        const tableName = `drill-${id}`;
        return {
          name: `dynamodb:${tableName}`,
          target: openTableTarget({ client, tableName, clock, retry, plain: true }),
          openSource: async () => sourceOf(tableName),
          remove: () => dropTable(client, tableName),
        };
      },
      openChangeLog: async (source, store) =>
        openTableChangeLog({
          ...{ ...store, client, openStreams: async () => streams, tableName: tableOf(source), tableOf, clock, retry, settleMs: 0 },
        }),
    };
  }

  function createDeps(table: string): DrillJobDeps & { readonly tenant: string } {
    const about = { source: `dynamodb:${table}`, repository: 'main', schedule: 'rate(1 hour)', changes: true };
    const file = BackupsFile.parse({
      repositories: { main: { at: '/repo' } },
      backups: [
        { ...about, name: 'scan' },
        { ...about, name: 'moment', kind: 'snapshot' },
      ],
      drills: [{ name: 'weekly', backup: 'moment', schedule: 'rate(7 days)', recoveryPoint: '1m' }],
    });
    return {
      ...{ file, places: createPlaces(), table: createMemoryTable(), clock: Date.now, random: () => 0, randomBytes, host: 'here' },
      ...{ tenant: 'default', unlockOf: async () => unlock, ask: async () => ({ ok: true, sentence: '' }) },
    };
  }

  let runs = 0;
  const newRun = (progress?: JobRun['progress']): JobRun => ({
    ...{ id: `run${++runs}`, startedAtMs: Date.now(), attempts: 0, nextMs: 0 },
    ...(progress === undefined ? {} : { progress }),
  });
  /** Calls until it ends, as the function that restores does. */
  const restore = async (deps: DrillJobDeps, request: Partial<RestoreRequest>) => {
    const asked = RestoreRequest.parse({ repository: 'main', snapshot: 'latest', ...request });
    let performed: Performed = { state: 'continued', progress: { request: asked } as never };
    while (performed.state === 'continued') performed = await performRestore(deps, newRun(performed.progress), async () => {});
    return performed;
  };
  /** What the table's whole stream says it was at each end of a second. */
  const modelOf = async (tableName: string) => {
    const { streamArn = '' } = await describeTable({ client, tableName });
    const stream = openChangeStream({ client: streams, streamArn });
    const history: { atS: number; key: string; item?: string | undefined }[] = [];
    for await (const { changes } of walkShards({ stream, clock: Date.now, sleep: () => pause(1), settleMs: 0 }, new Map(), 0))
      history.push(...changes);
    return (atS: number) => {
      const state = new Map<string, string>();
      for (const { key, item } of history.filter((change) => change.atS <= atS)) {
        if (item === undefined) state.delete(key);
        else state.set(key, item);
      }
      return [...state.values()].sort();
    };
  };

  it('is restored to any second between its snapshots, even once it is gone, and drilled with the changes of a moment', async () => {
    const random = seededRandom(7);
    const roll = (n: number) => Math.floor(random() * n);
    const name = 'pitr-orders';
    await createOrders(client, name);
    const deps = createDeps(name);
    await performCapture(deps, 'scan');
    await putAll(
      client,
      name,
      Array.from({ length: 30 }, (_, i) => order(`c${i % 5}`, i)),
    );
    let isWriting = true;
    const writer = (async () => {
      for (let n = 0; isWriting; n++) {
        const [customer, number] = [`c${roll(7)}`, roll(40)];
        const Key = { customer: { S: customer }, number: { N: String(number) } };
        if (roll(3) === 0) await client.send(new DeleteItemCommand({ TableName: name, Key }));
        else await client.send(new PutItemCommand({ TableName: name, Item: order(customer, number, { note: { S: `write ${n}` } }) }));
        await pause(15);
      }
    })();
    const firstS = Math.ceil(Date.now() / 1_000);
    for (const backup of ['moment', 'scan', 'moment'] as const) {
      expect(await performSnapshot(deps, backup, newRun())).toMatchObject({ state: 'done', ok: true });
      await pause(700);
      // Two at once, as where a schedule's call and somebody's meet.
      const captures = await Promise.all([performCapture(deps, 'scan'), performCapture(deps, 'moment')]);
      expect(captures.every((each) => each.state === 'done' && each.ok)).toBe(true);
    }
    isWriting = false;
    await writer;
    await pause(1_100);
    const lastS = Math.floor(Date.now() / 1_000) - 1;
    expect(await performCapture(deps, 'scan')).toMatchObject({ result: { gaps: [], rpoMs: expect.any(Number) } });
    const model = await modelOf(name);
    await client.send(new DeleteTableCommand({ TableName: name }));

    const { repository } = await openPlannedRepository(deps, 'main');
    const snapshots = await listSnapshots(repository);
    const moments = snapshots
      .filter(({ guarantee }) => guarantee.consistency === 'moment')
      .map(({ guarantee }) => Date.parse(guarantee.at));
    expect(moments.length).toBe(2);
    const fromS = Math.ceil((moments[0] as number) / 1_000);
    const seconds = new Set([fromS, lastS, ...Array.from({ length: 3 }, () => fromS + roll(lastS - fromS))]);
    const bases = new Set<unknown>();
    for (const second of seconds) {
      const at = new Date(second * 1_000 + roll(1_000)).toISOString();
      const done = await restore(deps, { to: `dynamodb:pitr-${second}`, at });
      expect(done).toMatchObject({ ok: true, sentence: expect.stringContaining(`brought to ${at}`) });
      bases.add((done as unknown as { result: { snapshot: string } }).result.snapshot);
      expect([second, await linesOf(client, `pitr-${second}`)]).toEqual([second, model(second)]);
    }
    expect(bases.size).toBeGreaterThan(1);
    const refused = [
      [{ to: 'dynamodb:pitr-early', at: new Date((firstS - 60) * 1_000).toISOString() }, /no snapshot of a table is from before/],
      [{ to: 'dynamodb:pitr-late', at: new Date(Date.now() + 60_000).toISOString() }, /does not reach/],
      [{ to: '/folder', at: new Date(lastS * 1_000).toISOString() }, /only tables/],
      [{ to: 'dynamodb:pitr-part', at: new Date(lastS * 1_000).toISOString(), include: ['items'] }, /as a whole/],
    ] as const;
    for (const [request, message] of refused) await expect(restore(deps, request as Partial<RestoreRequest>)).rejects.toThrow(message);
    expect(await isFreshTable({ client, tableName: 'pitr-late' })).toBe(true);

    const drilled = await performDrill(deps, 'weekly', newRun());
    expect(drilled).toMatchObject({ ok: true, sentence: expect.stringContaining('SUCCESSFUL') });
    expect((drilled as unknown as { result: { recoveryPointMs: number } }).result.recoveryPointMs).toBeLessThan(60_000);
  }, 120_000);

  it('cannot be captured without a stream of new images', async () => {
    await createOrders(client, 'pitr-still', { StreamSpecification: { StreamEnabled: false } });
    await expect(performCapture(createDeps('pitr-still'), 'scan')).rejects.toMatchObject({
      kind: 'input',
      hint: expect.stringMatching(/NEW_IMAGE/),
    });
  });
});
