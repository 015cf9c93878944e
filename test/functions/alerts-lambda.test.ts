import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { EvaluateResult } from '#alerts/evaluate/evaluate-deps.ts';
import { alignDown, MINUTE_MS } from '#core/time.ts';
import { pushConfigToAws } from '#functions/aws-config.ts';
import { S3_START_MS } from '#test/aws/s3-server.ts';
import { startServiceServer } from '#test/aws/service-server.ts';
import { alertFiles, answerService, downInstances } from './alert-files.ts';
import { absence, deployedFunctions, openStandIns, type StandIns } from './stand-ins.ts';

describe.skipIf(absence !== undefined)(`the functions of alerts as they are deployed${absence ? ` (${absence})` : ''}`, () => {
  let standIns: StandIns;
  let hook: Awaited<ReturnType<typeof startServiceServer>>;
  let key: string;

  beforeAll(async () => {
    hook = await startServiceServer(answerService);
    standIns = await openStandIns({
      AWS_ENDPOINT_URL_SESV2: hook.endpoint,
      AWS_ENDPOINT_URL_SNS: hook.endpoint,
      QUARTERDECK_EXTERNAL_URL: 'https://ops.example.org',
      QUARTERDECK_ALLOW_PRIVATE_TARGETS: 'on',
    });
    await pushConfigToAws(alertFiles(hook.endpoint), Date.now);
    const asked = { tenant: 'team-c', scopes: ['ingest', 'query', 'admin'] };
    key = ((await standIns.lambda.invoke('api-create-key', asked)) as { secret: string }).secret;
  }, S3_START_MS);

  afterAll(async () => {
    await standIns?.close();
    await hook?.close();
  });

  const request = (name: string, path: string, body?: string) => {
    const sent = body === undefined ? {} : { method: 'POST', body: new TextEncoder().encode(body) };
    const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
    return standIns.lambda.request(name, path, { ...sent, headers });
  };

  it('evaluate rules, route alerts and notify: by webhook, mail and topic, each started by the event of the one before', async () => {
    const lines = downInstances.map((instance) => `up{instance="${instance}"} 0 ${alignDown(Date.now(), MINUTE_MS) - 1}\n`);
    expect((await request('ingest-http', '/api/v1/import/prometheus', lines.join(''))).status).toBe(204);
    const { evaluations } = (await standIns.lambda.invoke('alerts-evaluate', {})) as EvaluateResult;
    expect(evaluations).toMatchObject([{ tenant: 'team-c', group: 'hosts', changes: downInstances.length, errors: [] }]);
    expect(await standIns.followEvents(0)).toEqual(['Alerts Received', 'Notifications Due', 'Incident Opened', 'Alerts Changed']);

    const [post] = hook.received.filter(({ path }) => path === '/hook');
    const told = JSON.parse(post.body) as { alerts: { labels: Record<string, string>; generatorURL: string }[] };
    expect(told).toMatchObject({ status: 'firing', receiver: 'everybody', externalURL: 'https://ops.example.org' });
    expect(told.alerts.map(({ labels }) => labels.instance).sort()).toEqual(downInstances);
    expect(told.alerts[0].generatorURL).toContain('https://ops.example.org/graph?');
    const [mail] = hook.received.filter(({ path }) => path === '/v2/email/outbound-emails');
    expect(JSON.parse(mail.body)).toMatchObject({ FromEmailAddress: 'ops@example.org', Destination: { ToAddresses: ['you@example.org'] } });
    const [message] = hook.received.filter(({ path }) => path === '/');
    expect(new URLSearchParams(message.body).get('TopicArn')).toBe('arn:aws:sns:eu-west-1:123456789012:on-call');
    expect(hook.received).toHaveLength(3);
  });

  it('keep what they know in objects, go on from there, and tell nothing twice', async () => {
    expect((await standIns.blobs.list('alerts/team-c/')).entries.map(({ key: each }) => each.split('/')[2])).toEqual([
      'book',
      'incidents',
      'state',
    ]);
    for (const name of ['alerts-evaluate', 'alerts-dispatch', 'alerts-correlate', 'alerts-deliver']) await standIns.lambda.invoke(name, {});
    expect(hook.received).toHaveLength(3);
  });

  it('take alerts and silences by the API, and tell of them at once', async () => {
    const before = standIns.events.length;
    const posted = JSON.stringify([{ labels: { alertname: 'Outside', instance: 'a' } }]);
    expect((await request('alerts-http', '/alertmanager/api/v2/alerts', posted)).status).toBe(200);
    expect(await standIns.followEvents(before)).toEqual(['Alerts Received', 'Notifications Due', 'Alerts Changed']);
    expect(hook.received).toHaveLength(6);
    const times = { startsAt: new Date().toISOString(), endsAt: new Date(Date.now() + MINUTE_MS).toISOString() };
    const matchers = [{ name: 'alertname', value: 'Outside', isRegex: false, isEqual: true }];
    const silence = JSON.stringify({ matchers, ...times, createdBy: 'me', comment: 'known' });
    expect((await request('alerts-http', '/alertmanager/api/v2/silences', silence)).status).toBe(200);
    const shown = JSON.parse((await request('alerts-http', '/alertmanager/api/v2/alerts?filter=alertname%3DOutside')).body);
    expect(shown).toMatchObject([{ labels: { alertname: 'Outside' }, status: { state: 'suppressed' } }]);
    const rules = JSON.parse((await request('alerts-http', '/api/v1/rules')).body);
    expect(rules).toMatchObject({ data: { groups: [{ name: 'hosts', rules: [{ state: 'firing', health: 'ok' }] }] } });
    await standIns.lambda.invoke('storage-sweep', { at: new Date(Date.now() + 3 * 24 * 60 * MINUTE_MS).toISOString() });
    expect((await standIns.blobs.list('alerts/team-c/')).entries).toHaveLength(3);
  });

  it('do nothing of all this that their roles do not allow', async () => {
    expect(await standIns.findRefused()).toEqual([]);
    expect(standIns.called()).toEqual(expect.arrayContaining((await deployedFunctions()).filter((name) => name.startsWith('alerts-'))));
  });
});
