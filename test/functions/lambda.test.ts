import { compressSync } from 'snappy';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tenantSettings } from '#config/load-config.ts';
import { pushConfig } from '#config/pushed-config.ts';
import { alignDown, DAY_MS, isoDate, MINUTE_MS } from '#core/time.ts';
import { pushConfigToAws } from '#functions/aws-config.ts';
import { openAwsDeps } from '#functions/aws-deps.ts';
import { loadWholeConfig } from '#functions/whole-config.ts';
import type { Blobs } from '#ports/blobs.ts';
import { DEAD_LETTERS } from '#ports/dead-letters.ts';
import type { Table } from '#ports/table.ts';
import type { CompactResult } from '#storage/compact.ts';
import type { DownsampleResult } from '#storage/downsample.ts';
import type { SweepResult } from '#storage/sweep.ts';
import { S3_START_MS } from '#test/aws/s3-server.ts';
import type { BundledLambda } from './bundled-lambda.ts';
import { writeRequest } from './sample-request.ts';
import { absence, deployedFunctions, openStandIns, type StandIns } from './stand-ins.ts';

const startMs = alignDown(Date.now(), MINUTE_MS) - 600_000;
// Windows are days, and midnight may be among the samples.
const days = isoDate(startMs) === isoDate(startMs + 600_000) ? 1 : 2;

describe.skipIf(absence !== undefined)(`the functions as they are deployed${absence ? ` (${absence})` : ''}`, () => {
  let standIns: StandIns;
  let lambda: BundledLambda;
  let table: Table;
  let blobs: Blobs;
  const keys: Record<string, string> = {};

  beforeAll(async () => {
    standIns = await openStandIns();
    ({ lambda, table, blobs } = standIns);
  }, S3_START_MS);

  afterAll(() => standIns?.close());

  const send = (path: string, key: string, body: Uint8Array, headers: Record<string, string> = {}) =>
    lambda.request('ingest-http', path, { method: 'POST', body, headers: { authorization: `Bearer ${key}`, ...headers } });

  const query = async (expr: string, key: string) => {
    const path = `/api/v1/query?query=${encodeURIComponent(expr)}&time=${(startMs + 600_000) / 1000}`;
    const { status, body, headers } = await lambda.request('query-http', path, { headers: { authorization: `Bearer ${key}` } });
    expect([status, body]).toEqual([200, expect.stringContaining('"status":"success"')]);
    return { result: JSON.parse(body).data.result, read: headers['x-quarterdeck-read'] };
  };

  it('make keys, each for one tenant', async () => {
    for (const tenant of ['team-a', 'team-b']) {
      const made = (await lambda.invoke('api-create-key', { tenant, scopes: ['ingest', 'query'] })) as { secret: string };
      keys[tenant] = made.secret;
    }
    await expect(lambda.invoke('api-create-key', { tenant: '../x', scopes: [] })).rejects.toThrow(
      'the event is not as this function takes it',
    );
  });

  it('take the configuration that was pushed', async () => {
    const text = 'tenants:\n  team-a:\n    limits: { maxLabels: 3 }\n  team-b:\n';
    await pushConfigToAws([{ path: 'tenants.yaml', text }], Date.now);
    const body = new TextEncoder().encode('many{a="1",b="2",c="3",d="4"} 1\n');
    const refused = await send('/api/v1/import/prometheus', keys['team-a'], body);
    expect([refused.status, refused.body]).toEqual([400, expect.stringContaining('labels')]);
    expect((await send('/api/v1/import/prometheus', keys['team-b'], body)).status).toBe(204);
  });

  it.each([
    ['no key', {}, 401],
    ['a key that nobody made', { authorization: 'Bearer qd_none' }, 401],
  ])('refuse %s', async (_, headers, status) => {
    const answer = await lambda.request('ingest-http', '/api/v1/write', { method: 'POST', body: Uint8Array.of(1), headers });
    expect(answer.status).toBe(status);
    expect((await lambda.request('query-http', '/api/v1/query?query=up', { headers })).status).toBe(status);
  });

  it('refuse what Lambda could hardly take, and say how to upload it', async () => {
    const answer = await send('/api/v1/import', keys['team-a'], new Uint8Array(4_500_001));
    expect([answer.status, answer.body]).toEqual([413, expect.stringContaining('POST /api/v1/import/uploads')]);
  });

  it('take remote write, inline and as an object, once however often it is sent', async () => {
    const headers = { 'content-type': 'application/x-protobuf', 'content-encoding': 'snappy' };
    for (const instances of [1, 200, 200]) {
      const answer = await send('/api/v1/write', keys['team-a'], compressSync(Buffer.from(writeRequest(startMs, instances))), headers);
      expect([answer.status, answer.body]).toEqual([204, '']);
    }
    expect((await blobs.list('segments/')).entries).not.toEqual([]);
    const history = new TextEncoder().encode(`history 1 ${startMs - 4 * DAY_MS}\n`);
    expect((await send('/api/v1/import/prometheus', keys['team-b'], history)).status).toBe(204);
  });

  it('answer queries before compaction and after it, to their own tenant alone', async () => {
    const expected = [{ metric: {}, value: [(startMs + 600_000) / 1000, '200'] }];
    const expr = 'sum(rate(requests_total[5m]))';
    expect((await query(expr, keys['team-a'])).result).toEqual(expected);
    expect((await query(expr, keys['team-b'])).result).toEqual([]);
    const { compactions } = (await lambda.invoke('storage-compact', { force: true, graceMs: 0 })) as CompactResult;
    const inputs = compactions.filter(({ tenant }) => tenant === 'team-a').map((each) => each.inputs);
    expect(inputs).toEqual(Array(days).fill(2)); // the third request was the second one again
    expect((await blobs.list('tier=hot/signal=metrics/tenant=team-a/')).entries).toHaveLength(days);
    const after = await query(expr, keys['team-a']);
    expect(after.result).toEqual(expected);
    expect(after.read).toMatch(new RegExp(`^objects=${days}, `));
    expect((await query(expr, keys['team-b'])).result).toEqual([]);
  });

  it('publish what happened', async () => {
    expect(await lambda.invoke('events-publish', {})).toMatchObject({ sent: standIns.events.length });
    expect(standIns.events).toContainEqual(
      expect.objectContaining({
        source: 'quarterdeck.storage',
        detailType: 'Block Committed',
        detail: expect.objectContaining({ tenant: 'team-a' }),
      }),
    );
  });

  it('import what was uploaded', async () => {
    const asked = await send('/api/v1/import/uploads', keys['team-b'], new TextEncoder().encode('{"format":"prometheus"}'));
    expect([asked.status, asked.body]).toEqual([201, expect.stringContaining('"fields"')]);
    const { id, fields } = JSON.parse(asked.body) as { id: string; fields: { key: string } };
    await standIns.uploads.put(fields.key, new TextEncoder().encode(`imported 7 ${startMs}\nimported 6 ${startMs - 4 * DAY_MS}\n`));
    await lambda.invoke('ingest-import', { detail: { bucket: { name: standIns.names.Uploads }, object: { key: fields.key } } });
    const headers = { authorization: `Bearer ${keys['team-b']}` };
    const followed = await lambda.request('ingest-http', `/api/v1/import/uploads/${id}`, { headers });
    expect(JSON.parse(followed.body)).toMatchObject({ state: 'done', accepted: 2 });
    expect((await query('last_over_time(imported[1h])', keys['team-b'])).result).toMatchObject([{ value: [expect.anything(), '7'] }]);
  });

  it('derive aggregates of a closed day, sweep what attempts left, and expire what is derived', async () => {
    const inDays = (count: number) => ({ at: new Date(startMs + count * DAY_MS).toISOString() });
    await lambda.invoke('storage-compact', { ...inDays(3), graceMs: 0 });
    const { downsamplings } = (await lambda.invoke('storage-downsample', { ...inDays(3), graceMs: 0 })) as DownsampleResult;
    expect(downsamplings.filter(({ tenant }) => tenant === 'team-a').map(({ tier }) => tier)).toEqual(
      Array(days).fill(['warm', 'cold']).flat(),
    );
    const swept = (await lambda.invoke('storage-sweep', inDays(3))) as SweepResult;
    expect(swept.orphans).toBeGreaterThan(0); // the repeated request wrote an object that nobody needs
    await lambda.invoke('storage-expire', inDays(20));
    expect((await blobs.list('tier=hot/signal=metrics/tenant=team-a/')).entries).toEqual([]);
    expect((await blobs.list('tier=warm/signal=metrics/tenant=team-a/')).entries).toHaveLength(days);
    await expect(lambda.invoke('ingest-aggregate', {})).resolves.toEqual({ aggregations: [] });
  });

  it('keep dead letters', async () => {
    const body = JSON.stringify({ 'detail-type': 'Block Committed' });
    const record = { messageId: 'letter-1', body, attributes: { SentTimestamp: String(startMs) }, messageAttributes: {} };
    expect(await lambda.invoke('events-drain', { Records: [record] })).toEqual({ kept: 1 });
    const { items } = await table.query({ pk: DEAD_LETTERS });
    expect(items.map(({ event }) => event)).toEqual([body]);
  });

  it('delete a key', async () => {
    const { id } = (await lambda.invoke('api-create-key', { tenant: 'team-a', scopes: ['query'] })) as { id: string };
    expect(await lambda.invoke('api-delete-key', { id })).toEqual({ id, tenant: 'team-a' });
    await expect(lambda.invoke('api-delete-key', { id })).rejects.toThrow('there is no key');
  });

  it('do nothing of all this that their roles do not allow', async () => {
    expect(await standIns.findRefused()).toEqual([]);
    expect(standIns.called()).toEqual((await deployedFunctions()).filter((name) => !/^(alerts|releases|flags|backups)-/.test(name)));
  });

  it('follow a new configuration within half a minute, stay with the last that loads, and say so', async () => {
    const clock = { nowMs: 0 };
    const told: string[] = [];
    const open = openAwsDeps(
      {},
      () => clock.nowMs,
      (line) => told.push(line),
    );
    const maxLabels = async () => tenantSettings((await open()).config, 'team-a').ingestLimits.maxLabels;
    expect(await maxLabels()).toBe(3);
    await pushConfig({ blobs, table, now: Date.now, check: loadWholeConfig }, [
      { path: 'tenants.yaml', text: 'tenants: { team-a: { limits: { maxLabels: 9 } } }' },
    ]);
    expect(await maxLabels()).toBe(3);
    clock.nowMs += 30_000;
    expect(await maxLabels()).toBe(9);
    await blobs.put('config/broken/tenants.yaml', new TextEncoder().encode('tenants: ['));
    await table.put({ pk: 'config', sk: 'current', version: 'broken', files: '["tenants.yaml"]' });
    clock.nowMs += 30_000;
    expect(await maxLabels()).toBe(9);
    expect(told).toEqual([expect.stringContaining('tenants.yaml:1')]);
    const fresh = openAwsDeps({}, Date.now, () => undefined);
    await expect(fresh()).rejects.toMatchObject({ kind: 'unavailable', message: expect.stringContaining('tenants.yaml:1') });
  });

  it('cannot start without what the deployment tells them, and say what is missing', async () => {
    const known = process.env.SST_RESOURCE_Table;
    delete process.env.SST_RESOURCE_Table;
    const open = openAwsDeps({}, Date.now, () => undefined);
    await expect(open()).rejects.toMatchObject({ kind: 'unavailable', message: expect.stringContaining('SST_RESOURCE_Table') });
    process.env.SST_RESOURCE_Table = known;
  });
});
