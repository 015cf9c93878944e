import { randomUUID } from 'node:crypto';
import { compressSync } from 'snappy';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { EvaluateResult } from '#alerts/evaluate/evaluate-rules.ts';
import { createDynamoClient, createS3Client } from '#aws/clients.ts';
import { createBucket } from '#aws/create-bucket.ts';
import { createTable } from '#aws/create-table.ts';
import { createDynamoTable } from '#aws/dynamo-table.ts';
import { createS3Blobs } from '#aws/s3-blobs.ts';
import { tenantSettings } from '#config/load-config.ts';
import { pushConfig } from '#config/pushed-config.ts';
import { alignDown, DAY_MS, HOUR_MS, isoDate, MINUTE_MS } from '#core/time.ts';
import { pushConfigToAws } from '#functions/aws-config.ts';
import { openAwsDeps } from '#functions/aws-deps.ts';
import { subscriptions } from '#functions/subscriptions.ts';
import { loadWholeConfig } from '#functions/whole-config.ts';
import type { Blobs } from '#ports/blobs.ts';
import { matchesPattern } from '#ports/bus.ts';
import { DEAD_LETTERS } from '#ports/dead-letters.ts';
import type { Table } from '#ports/table.ts';
import type { CompactResult } from '#storage/compact.ts';
import type { DownsampleResult } from '#storage/downsample.ts';
import type { SweepResult } from '#storage/sweep.ts';
import { dynamoAbsence, startDynamoServer } from '#test/aws/dynamodb-server.ts';
import { startEventsServer } from '#test/aws/events-server.ts';
import { S3_START_MS, s3Absence, s3Credentials, s3Endpoint } from '#test/aws/s3-server.ts';
import { startServiceServer } from '#test/aws/service-server.ts';
import { allows } from '#test/stacks/allows.ts';
import { deploy, ownName } from '#test/stacks/deployed.ts';
import { alertFiles, answerService, downInstances } from './alert-files.ts';
import { type BundledLambda, openBundledLambda } from './bundled-lambda.ts';
import { type Access, startRecordingProxy } from './recording-proxy.ts';
import { arnsOf, attemptOf, componentOf } from './roles.ts';
import { writeRequest } from './sample-request.ts';

const absence = s3Absence ?? dynamoAbsence;
const region = 'us-east-1';
const startMs = alignDown(Date.now(), MINUTE_MS) - 600_000;
// Windows are days, and midnight may be among the samples.
const days = isoDate(startMs) === isoDate(startMs + 600_000) ? 1 : 2;

describe.skipIf(absence !== undefined)(`the functions as they are deployed${absence ? ` (${absence})` : ''}`, () => {
  const closers: (() => Promise<void>)[] = [];
  let lambda: BundledLambda;
  let events: Awaited<ReturnType<typeof startEventsServer>>;
  let hook: Awaited<ReturnType<typeof startServiceServer>>;
  let table: Table;
  let blobs: Blobs;
  let uploads: Blobs;
  let names: Readonly<Record<string, string>>;
  /** What each function did, as the services saw it. */
  const accesses: { readonly name: string; readonly access: Access }[] = [];
  const keys: Record<string, string> = {};

  beforeAll(async () => {
    const dynamo = await startDynamoServer();
    events = await startEventsServer();
    hook = await startServiceServer(answerService);
    let running: string | undefined;
    const record = (access: Access) => running !== undefined && accesses.push({ name: running, access });
    const s3 = await s3Endpoint();
    const proxies = await Promise.all([dynamo.endpoint, s3, events.endpoint].map((target) => startRecordingProxy(target, record)));
    names = { Blobs: `blobs-${randomUUID()}`, Uploads: `uploads-${randomUUID()}`, Table: 'quarterdeck', Bus: 'quarterdeck' };
    Object.assign(process.env, {
      AWS_LAMBDA_FUNCTION_NAME: 'quarterdeck-test',
      AWS_REGION: region,
      AWS_ACCESS_KEY_ID: s3Credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: s3Credentials.secretAccessKey,
      AWS_ENDPOINT_URL_DYNAMODB: proxies[0].endpoint,
      AWS_ENDPOINT_URL_S3: proxies[1].endpoint,
      AWS_ENDPOINT_URL_EVENTBRIDGE: proxies[2].endpoint,
      AWS_ENDPOINT_URL_SESV2: hook.endpoint,
      AWS_ENDPOINT_URL_SNS: hook.endpoint,
      QUARTERDECK_EXTERNAL_URL: 'https://ops.example.org',
      QUARTERDECK_ALLOW_PRIVATE_TARGETS: 'on',
      ...Object.fromEntries(Object.entries(names).map(([name, value]) => [`SST_RESOURCE_${name}`, JSON.stringify({ name: value })])),
    });
    const dynamoClient = createDynamoClient({ region });
    const s3Client = createS3Client({ region });
    await createTable(dynamoClient, names.Table);
    for (const bucket of [names.Blobs, names.Uploads]) await createBucket(s3Client, bucket);
    table = createDynamoTable({ client: dynamoClient, tableName: names.Table });
    blobs = createS3Blobs({ client: s3Client, bucket: names.Blobs });
    uploads = createS3Blobs({ client: s3Client, bucket: names.Uploads });
    lambda = await openBundledLambda((name) => {
      running = name;
    });
    closers.push(lambda.close, ...proxies.map(({ stop }) => stop), dynamo.stop, events.stop, hook.close, async () => {
      dynamoClient.destroy();
      s3Client.destroy();
    });
  }, S3_START_MS);

  afterAll(async () => {
    for (const close of closers) await close();
  });

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
    expect(await lambda.invoke('events-publish', {})).toMatchObject({ sent: events.received.length });
    expect(events.received).toContainEqual(
      expect.objectContaining({
        source: 'quarterdeck.storage',
        detailType: 'Block Committed',
        detail: expect.objectContaining({ tenant: 'team-a' }),
      }),
    );
  });

  it('evaluate rules, route alerts and notify: by webhook, mail and topic, each function started by the event of the one before', async () => {
    await pushConfigToAws(alertFiles(hook.endpoint), Date.now);
    const { secret } = (await lambda.invoke('api-create-key', { tenant: 'team-c', scopes: ['ingest'] })) as { secret: string };
    const lines = downInstances.map((instance) => `up{instance="${instance}"} 0 ${alignDown(Date.now(), MINUTE_MS) - 1}\n`);
    expect((await send('/api/v1/import/prometheus', secret, new TextEncoder().encode(lines.join('')))).status).toBe(204);
    const already = events.received.length;
    const evaluated = (await lambda.invoke('alerts-evaluate', {})) as EvaluateResult;
    expect(evaluated.evaluations).toMatchObject([{ tenant: 'team-c', group: 'hosts', changes: downInstances.length, errors: [] }]);
    for (let next = already; next < events.received.length; next++) {
      const event = events.received[next];
      for (const rule of subscriptions.filter(({ pattern }) => matchesPattern(pattern, event)))
        await lambda.invoke(rule.function, { ...event });
    }
    expect(events.received.slice(already).map(({ detailType }) => detailType)).toEqual([
      'Alerts Received',
      'Notifications Due',
      'Alerts Changed',
    ]);
    const [post] = hook.received.filter(({ path }) => path === '/hook');
    const told = JSON.parse(post.body) as { status: string; alerts: { labels: Record<string, string>; generatorURL: string }[] };
    expect(told).toMatchObject({ status: 'firing', receiver: 'everybody', externalURL: 'https://ops.example.org' });
    expect(told.alerts.map(({ labels }) => labels.instance).sort()).toEqual(downInstances);
    expect(told.alerts[0].generatorURL).toContain('https://ops.example.org/graph?');
    const [mail] = hook.received.filter(({ path }) => path === '/v2/email/outbound-emails');
    expect(JSON.parse(mail.body)).toMatchObject({ FromEmailAddress: 'ops@example.org', Destination: { ToAddresses: ['you@example.org'] } });
    const [message] = hook.received.filter(({ path, method }) => path === '/' && method === 'POST');
    expect(new URLSearchParams(message.body).get('TopicArn')).toBe('arn:aws:sns:eu-west-1:123456789012:on-call');
    expect(hook.received).toHaveLength(3);
  });

  it('keep what they know of alerts in objects, go on from there, and tell nothing twice', async () => {
    expect((await blobs.list('alerts/team-c/')).entries.map(({ key }) => key.split('/')[2])).toEqual(['book', 'state']);
    for (const name of ['alerts-evaluate', 'alerts-dispatch', 'alerts-deliver']) await lambda.invoke(name, {});
    expect(hook.received).toHaveLength(3);
  });

  it('take alerts, silences and rules by their API, start dispatching at once, and show how all stands', async () => {
    const scopes = ['ingest', 'query', 'admin'];
    const { secret } = (await lambda.invoke('api-create-key', { tenant: 'team-c', scopes })) as { secret: string };
    const ask = async (method: string, path: string, sent?: unknown, name = 'alerts-http') => {
      const body = sent === undefined ? {} : { body: new TextEncoder().encode(JSON.stringify(sent)) };
      const answer = await lambda.request(name, path, { method, headers: { authorization: `Bearer ${secret}` }, ...body });
      expect([path, answer.status]).toEqual([path, answer.status < 300 ? answer.status : '2xx']);
      return answer.body;
    };
    const V2 = '/alertmanager/api/v2';
    const already = events.received.length;
    const outside = ['x', 'y'].flatMap((kind) => downInstances.map((instance) => ({ labels: { alertname: 'Outside', kind, instance } })));
    await ask('POST', `${V2}/alerts`, outside);
    expect(events.received.slice(already)).toMatchObject([{ detailType: 'Alerts Received', detail: { tenant: 'team-c' } }]);
    const matchers = [{ name: 'kind', value: 'x', isRegex: false }];
    const times = { startsAt: new Date(Date.now()).toISOString(), endsAt: new Date(Date.now() + HOUR_MS).toISOString() };
    const made = await ask('POST', `${V2}/silences`, { matchers, ...times, createdBy: 'me', comment: 'quiet' });
    const { silenceID } = JSON.parse(made) as { silenceID: string };
    const shown = JSON.parse(await ask('GET', `${V2}/alerts?active=false`)) as { fingerprint: string }[];
    expect(shown).toHaveLength(downInstances.length);
    expect(JSON.parse(await ask('GET', `${V2}/alerts`))).toHaveLength(3 * downInstances.length);
    const explained = JSON.parse(await ask('GET', `/api/alerts/${shown[0].fingerprint}/explain`));
    expect(explained).toMatchObject({ state: 'suppressed', silences: [{ id: silenceID }], routes: [{ receiver: 'everybody' }] });
    await ask('DELETE', `${V2}/silence/${silenceID}`);
    const RULER = '/prometheus/config/v1/rules';
    await ask('POST', `${RULER}/own`, { name: 'more', rules: [{ alert: 'More', expr: 'up == 1' }] });
    expect(await ask('GET', `${RULER}/own/more`)).toContain('expr: up == 1');
    const rulesBy = async (name: string) => {
      const rules = JSON.parse(await ask('GET', '/api/v1/rules', undefined, name)) as {
        data: { groups: { name: string; rules: { alerts: unknown[] }[] }[] };
      };
      return rules.data.groups.map((group) => [group.name, group.rules[0].alerts.length]);
    };
    expect(await rulesBy('alerts-http')).toEqual([
      ['more', 0],
      ['hosts', downInstances.length],
    ]);
    expect(await rulesBy('query-http')).toContainEqual(['more', 0]); // it may know the files of half a minute ago
    await ask('DELETE', `${RULER}/own`);
    expect(JSON.parse(await ask('GET', '/api/slo'))).toEqual({ slos: [] });
  });

  it('import what was uploaded', async () => {
    const asked = await send('/api/v1/import/uploads', keys['team-b'], new TextEncoder().encode('{"format":"prometheus"}'));
    expect([asked.status, asked.body]).toEqual([201, expect.stringContaining('"fields"')]);
    const { id, fields } = JSON.parse(asked.body) as { id: string; fields: { key: string } };
    await uploads.put(fields.key, new TextEncoder().encode(`imported 7 ${startMs}\nimported 6 ${startMs - 4 * DAY_MS}\n`));
    await lambda.invoke('ingest-import', { detail: { bucket: { name: names.Uploads }, object: { key: fields.key } } });
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
    const deployed = await deploy('test');
    const arns = arnsOf(deployed, names);
    const refused = new Set<string>();
    for (const { name, access } of accesses) {
      const role = deployed.statements.filter(({ of }) => of === `${componentOf(name)}Role`);
      if (!allows(role, attemptOf(access, arns))) refused.add(`${name} ${access.action} ${access.target.split('/')[0]}`);
    }
    expect([...refused]).toEqual([]);
    const handlers = deployed.all('lambda/function:Function').map((each) => ownName(each.name));
    expect([...new Set(accesses.map(({ name }) => name))].sort()).toEqual(handlers.sort());
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
