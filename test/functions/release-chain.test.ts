import { describe, expect, it } from 'vitest';
import { createDeps, type FunctionDeps } from '#functions/deps.ts';
import { asOf } from '#functions/lambda.ts';
import { loadFunction } from '#functions/registry.ts';
import { releaseDomains } from '#functions/release-domains.ts';
import { advanceDeps } from '#functions/releases-deps.ts';
import { subscriptions } from '#functions/subscriptions.ts';
import { loadWholeConfig } from '#functions/whole-config.ts';
import { BatchBuilder } from '#ingest/batch-builder.ts';
import { ingestSamples } from '#ingest/ingest-samples.ts';
import { CiReported } from '#model/release-events.ts';
import { seriesFromLabels } from '#model/series.ts';
import type { BusEvent } from '#ports/bus.ts';
import { createMemoryBlobs } from '#ports/memory/memory-blobs.ts';
import { createMemoryBus } from '#ports/memory/memory-bus.ts';
import { createMemoryTable } from '#ports/memory/memory-table.ts';
import { createMemoryUploads } from '#ports/memory/memory-uploads.ts';
import { readActive } from '#releases/configuration/activate.ts';
import { ConfigDocument } from '#releases/configuration/document.ts';
import { writeVersion } from '#releases/configuration/versions.ts';
import { startRelease } from '#releases/run/start-release.ts';
import { createReadCache } from '#storage/read-cache.ts';

const startMs = Date.parse('2026-11-23T12:00:00Z');
const shop = `
application: shop
repository: acme/shop
service: { job: shop }
environments:
  - name: production
    gates: { start: [{ checks: [unit] }, { alerts: {} }] }
`;
const rules = 'groups: [{ name: shop, rules: [{ alert: Down, expr: up == 0 }] }]\n';

/** The functions over memory, with the bus' rules as they are deployed. */
async function setUp(files: Readonly<Record<string, string>>) {
  let nowMs = startMs;
  let ids = 0;
  const bus = createMemoryBus();
  const blobs = createMemoryBlobs();
  const ports = { blobs, table: createMemoryTable(), bus, uploads: createMemoryUploads(blobs) };
  const config = await loadWholeConfig({ readFile: async (path) => files[path], list: async () => Object.keys(files).sort() });
  const options = {
    now: () => nowMs,
    observer: { samples() {}, rejected() {}, exemplars() {}, rule() {} },
    ...{ cache: createReadCache(0), inlineBytes: 4_096, graceMs: 60_000, pause: async () => {} },
    ...{ externalUrl: 'https://ops.example.org', allowPrivateTargets: true },
  };
  const deps: FunctionDeps = { ...createDeps(ports, config, options), newId: () => `id${ids++}` };
  const invoke = async (name: string, event: Readonly<Record<string, unknown>> = {}) =>
    (await loadFunction(name))(asOf(deps, event), event);
  const told: BusEvent[] = [];
  for (const rule of subscriptions)
    bus.subscribe(
      rule.pattern,
      async ({ detailType, detail }) => void (await invoke(rule.function, { 'detail-type': detailType, detail })),
    );
  bus.subscribe(
    { source: ['quarterdeck.releases'], 'detail-type': ['Release Waiting', 'Release Promoted', 'Release Cancelled', 'Release Refused'] },
    async (event) => void told.push(event),
  );
  const say = async (id: string, more: object) => {
    const report = { provider: 'github', delivery: id, repository: 'acme/shop', commit: 'c0ffee', ...more };
    const detail = CiReported.parse({ id, tenant: 'default', at: new Date(nowMs).toISOString(), report });
    await bus.publish([{ source: 'quarterdeck.releases', detailType: 'Ci Reported', detail }]);
    await bus.settle();
  };
  return {
    ...{ deps, bus, invoke, told, say },
    async sendUp(value: number) {
      const builder = new BatchBuilder();
      const labels = [
        { name: '__name__', value: 'up' },
        { name: 'job', value: 'shop' },
      ];
      builder.add(seriesFromLabels(labels), nowMs, value, 0);
      const decoded = { batch: builder.finish(), metadata: [], rejections: [], exemplars: 0, stampedAtReceipt: false };
      await ingestSamples(deps.ingest, { tenant: 'default', protocol: 'prometheus-text', decoded });
    },
    passMs: (ms: number) => {
      nowMs += ms;
    },
  };
}

describe('the functions of releases', () => {
  it('go from what CI says to the promotion by the rules of the bus, once for each delivery', async () => {
    const { say, told } = await setUp({ 'applications/shop.yaml': shop });
    await say('d1', {
      kind: 'release-requested',
      environment: 'production',
      version: 'v2',
      reply: { callbackUrl: 'https://github.example' },
    });
    await say('d1', {
      kind: 'release-requested',
      environment: 'production',
      version: 'v2',
      reply: { callbackUrl: 'https://github.example' },
    });
    expect(told.map(({ detail }) => detail.sentence)).toEqual([
      'shop v2 in production waits for checks unit: of c0ffee: unit has not been posted',
    ]);
    await say('d2', { kind: 'check-reported', check: { name: 'unit', kind: 'other', state: 'success' } });
    expect(told.map(({ detailType }) => detailType)).toEqual(['Release Waiting', 'Release Promoted']);
    expect(told[1]?.detail).toMatchObject({
      reply: { callbackUrl: 'https://github.example' },
      state: 'promoted',
      url: expect.stringMatching(/^https:\/\/ops\.example\.org\/api\/releases\/\d{8}t\d{6}-id/),
    });
  });

  it('keep a release waiting while an alert of its service fires', async () => {
    const { say, sendUp, invoke, passMs, told } = await setUp({ 'applications/shop.yaml': shop, 'rules/shop.yaml': rules });
    await sendUp(0);
    await invoke('alerts-evaluate');
    await say('d2', { kind: 'check-reported', check: { name: 'unit', kind: 'other', state: 'success' } });
    await say('d1', { kind: 'release-requested', environment: 'production', version: 'v2' });
    expect(told.map(({ detail }) => detail.sentence)).toEqual(['shop v2 in production waits for alerts of the service: firing: Down']);
    passMs(60_000);
    await sendUp(1);
    await invoke('alerts-evaluate');
    await invoke('releases-advance');
    expect(told.map(({ detailType }) => detailType)).toEqual(['Release Waiting', 'Release Promoted']);
  });

  it('are started by a release that was asked for by API', async () => {
    const { deps, bus, told } = await setUp({
      'applications/shop.yaml': 'application: shop\nrepository: acme/shop\nenvironments: [{ name: production }]\n',
    });
    const domains = releaseDomains(deps);
    const [application] = await domains.applications('default');
    const of = {
      tenant: 'default',
      application: 'shop',
      environment: 'production',
      version: 'v2',
      commit: '',
      actor: 'ann',
      delivery: 'api:1',
    };
    const { id } = await startRelease(domains, of, application?.environments[0]?.plan as never);
    await domains.announceRelease('default', id);
    await bus.settle();
    expect(told.map(({ detailType }) => detailType)).toEqual(['Release Promoted']);
  });

  it('answer each who asked for one release, and let its configuration go with it', async () => {
    const { deps, say, told } = await setUp({ 'applications/shop.yaml': shop });
    const place = { tenant: 'default', application: 'shop' };
    const document = ConfigDocument.parse({ env: { A: '1' } });
    await writeVersion(deps, { ...place, layer: 'base', document, by: 'ann', message: '', expected: 0 });
    const asked = { kind: 'release-requested', environment: 'production', version: 'v2' };
    for (const [delivery, rule] of [
      ['d1', '1'],
      ['d2', '2'],
      ['d2', '2'],
    ] as const)
      await say(delivery, { ...asked, reply: { rule } });
    await say('d3', { kind: 'check-reported', check: { name: 'unit', kind: 'other', state: 'success' } });
    const promoted = told.filter(({ detailType }) => detailType === 'Release Promoted').map(({ detail }) => detail);
    expect(promoted.map(({ reply }) => reply)).toEqual([{ rule: '1' }, { rule: '2' }]);
    expect(new Set(promoted.map(({ release }) => release)).size).toBe(1);
    expect(await readActive(deps.table, { ...place, environment: 'production' })).toMatchObject({
      base: 1,
      release: promoted[0]?.release,
      message: 'v2 was promoted',
    });
  });

  it('tell who asked that it was rejected, and that there is no such application', async () => {
    const { say, told } = await setUp({ 'applications/shop.yaml': shop });
    await say('d1', { kind: 'release-requested', environment: 'production', version: 'v2', reply: { rule: '1' } });
    await say('d2', { kind: 'rejected', actor: 'ann', version: 'v2' });
    await say('d3', { kind: 'release-requested', repository: 'acme/other', environment: 'production', reply: { rule: '2' } });
    const ends = told.filter(({ detailType }) => detailType !== 'Release Waiting');
    expect(ends.map(({ detailType, detail }) => [detailType, detail.sentence, detail.reply])).toEqual([
      ['Release Cancelled', 'shop v2 in production is cancelled: rejected by ann: at github', { rule: '1' }],
      ['Release Refused', 'no application here is of acme/other', { rule: '2' }],
    ]);
  });

  it('ask an SLO that there is not, and say so', async () => {
    const { deps } = await setUp({});
    await expect(advanceDeps(deps).gates.sloBudget('default', 'x')).rejects.toMatchObject({ kind: 'missing' });
  });
});

describe('applications of a configuration folder', () => {
  it('are told with every other problem of the folder, by file, line and column', async () => {
    const files: Record<string, string> = {
      'applications/a.yaml': 'application: a\nrepository: x/a\n',
      'applications/team/b.yaml': shop,
      'applications/c.yaml': shop,
      'applications/d.yaml': shop,
    };
    const config = loadWholeConfig({ readFile: async (path) => files[path], list: async () => Object.keys(files) });
    await expect(config).rejects.toThrow('applications/a.yaml:1:1: environments: is missing');
    await expect(config).rejects.toThrow('applications/d.yaml: application shop is in applications/c.yaml already');
    await expect(config).rejects.not.toThrow('team');
  });
});
