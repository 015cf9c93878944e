import { describe, expect, it } from 'vitest';
import { evaluateRules } from '#alerts/evaluate/evaluate-rules.ts';
import { loadConfig } from '#config/load-config.ts';
import { MINUTE_MS } from '#core/time.ts';
import { evaluateDeps } from '#functions/alerts-deps.ts';
import { createDeps } from '#functions/deps.ts';
import { BatchBuilder } from '#ingest/batch-builder.ts';
import { ingestSamples } from '#ingest/ingest-samples.ts';
import type { CallCounts } from '#model/prices.ts';
import { createCallCounter } from '#ports/counted.ts';
import { createMemoryBlobs } from '#ports/memory/memory-blobs.ts';
import { createMemoryBus } from '#ports/memory/memory-bus.ts';
import { createMemoryTable } from '#ports/memory/memory-table.ts';
import { createMemoryUploads } from '#ports/memory/memory-uploads.ts';
import { createReadCache } from '#storage/read-cache.ts';
import { START, seriesOf } from './world.ts';

interface Size {
  readonly groups: number;
  readonly rules: number;
  readonly series: number;
  readonly segments: number;
}

/** What the second of two evaluations asks of table and blobs, where nothing changed between them. */
async function countQuiet({ groups, rules, series, segments }: Size): Promise<CallCounts> {
  let nowMs = START;
  const counter = createCallCounter();
  const blobs = createMemoryBlobs({ clock: () => nowMs });
  const ports = {
    ...{ blobs: counter.countBlobs(blobs), table: counter.countTable(createMemoryTable()) },
    ...{ bus: createMemoryBus(), uploads: createMemoryUploads(blobs) },
  };
  const list = Array.from({ length: groups }, (_, g) => ({
    name: `g${g}`,
    rules: Array.from({ length: rules }, (_, r) => ({ alert: `Down${r}`, expr: `up == ${g * rules + r}`, for: '1h' })),
  }));
  const config = await loadConfig({
    readFile: async (path) => (path === 'rules/a.yaml' ? JSON.stringify({ groups: list }) : undefined),
    list: async () => ['rules/a.yaml'],
  });
  // Who writes and who evaluates are processes of their own: nothing is read out of what the other one knows.
  const startProcess = () =>
    createDeps(ports, config, {
      now: () => nowMs,
      observer: { samples() {}, rejected() {}, exemplars() {}, rule() {} },
      cache: createReadCache(64 * 1024 * 1024),
      ...{ inlineBytes: 0, graceMs: 60_000, pause: async () => {}, externalUrl: '', allowPrivateTargets: false },
    });
  const [deps, writer] = [startProcess(), startProcess()];
  const store = async (atMs: number) => {
    const builder = new BatchBuilder();
    for (let i = 0; i < series; i++) builder.add(seriesOf({ __name__: 'up', instance: `instance-${i}` }), atMs, 0, 0);
    const decoded = { batch: builder.finish(), metadata: [], rejections: [], exemplars: 0, stampedAtReceipt: false };
    await ingestSamples(writer.ingest, { tenant: 'default', protocol: 'test', decoded });
  };
  await store(START - 10_000);
  await evaluateRules(evaluateDeps(deps), ['default']);
  for (let i = 0; i < segments; i++) await store(START + 1_000 * (i + 1));
  nowMs += MINUTE_MS;
  const before = counter.counts();
  await evaluateRules(evaluateDeps(deps), ['default']);
  const after = counter.counts();
  const gets = after.blobGets.standard - before.blobGets.standard;
  const puts = after.blobPuts.standard - before.blobPuts.standard;
  const counts = { ...after, blobGets: { ...after.blobGets, standard: gets }, blobPuts: { ...after.blobPuts, standard: puts } };
  return { ...counts, tableReads: after.tableReads - before.tableReads, tableWrites: after.tableWrites - before.tableWrites };
}

describe('an evaluation where nothing changes', () => {
  const base: Size = { groups: 2, rules: 5, series: 10, segments: 3 };

  it('asks for as much with more rules and with more alerts, but for the object of a state over 2 KB', async () => {
    const few = await countQuiet(base);
    const manyRules = await countQuiet({ ...base, rules: 50 });
    const manyAlerts = await countQuiet({ ...base, series: 2_000 });
    expect([manyRules.tableReads, manyRules.tableWrites]).toEqual([few.tableReads, few.tableWrites]);
    expect([manyAlerts.tableReads, manyAlerts.tableWrites]).toEqual([few.tableReads, few.tableWrites]);
    expect(manyAlerts.blobGets.standard - few.blobGets.standard).toBeLessThanOrEqual(base.groups);
    expect(manyAlerts.blobPuts.standard).toBe(few.blobPuts.standard);
  });

  it('reads each segment once for all rules', async () => {
    const few = await countQuiet(base);
    const more = await countQuiet({ ...base, segments: base.segments + 4 });
    expect(more.blobGets.standard - few.blobGets.standard).toBe(4);
    // Those that came, and what the evaluation before has written of the one rule that matches, nothing of it twice.
    expect(few.blobGets.standard).toBeLessThanOrEqual(base.segments + base.groups);
  });

  it('asks for the same of each group more', async () => {
    const [two, four, six] = await Promise.all([2, 4, 6].map((groups) => countQuiet({ ...base, groups, rules: 1 })));
    const calls = (counts: CallCounts) => counts.tableReads + counts.tableWrites;
    expect(calls(six) - calls(four)).toBe(calls(four) - calls(two));
    expect((calls(six) - calls(four)) / 2).toBeLessThanOrEqual(8);
  });
});
