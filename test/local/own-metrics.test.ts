import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { OpsError } from '#core/errors.ts';
import { openLocal } from '#local/open.ts';
import { createOwnMetrics } from '#local/own-metrics.ts';
import type { BusEvent } from '#ports/bus.ts';
import type { SampleSource, SelectInput } from '#ports/sample-source.ts';

const input = { tenant: 'default', matchers: [] } as unknown as SelectInput;

function setUp() {
  const own = createOwnMetrics({ sizeBytes: 0 });
  const value = (name: string) =>
    own.registry
      .collect()
      .flatMap(({ samples }) => samples)
      .filter((sample) => sample.name === name)
      .map(({ labels, value: counted }) => [labels, counted]);
  return { own, value };
}

function makeSource(select: SampleSource['select']): SampleSource {
  return { select, series: () => Promise.reject(new Error('not asked')), metadata: async () => [] };
}

describe('own metrics', () => {
  it('count what selectors read, by the tier that answered', async () => {
    const { own, value } = setUp();
    const read = { objects: 1, requests: 7, bytes: 900, samples: 60 };
    const source = own.observeSource(makeSource(async () => ({ tier: 'hot', series: [], read, warnings: [] })));
    await source.select(input);
    await source.select(input);
    expect(value('quarterdeck_query_selections_total')).toEqual([[{ tier: 'hot' }, 2]]);
    expect(value('quarterdeck_query_read_samples_total')).toEqual([[{ tier: 'hot' }, 120]]);
    expect(value('quarterdeck_query_read_requests_total')).toEqual([[{ tier: 'hot' }, 14]]);
    expect(value('quarterdeck_query_read_bytes_total')).toEqual([[{ tier: 'hot' }, 1800]]);
  });

  it('count no selector that failed, and hand its error on', async () => {
    const { own, value } = setUp();
    const failure = new OpsError('limit', 'too many series');
    const source = own.observeSource(makeSource(() => Promise.reject(failure)));
    await expect(source.select(input)).rejects.toBe(failure);
    expect(value('quarterdeck_query_selections_total')).toEqual([]);
  });

  it('count what commits wrote, by tier and whether the day is final', () => {
    const { own, value } = setUp();
    const detail = { id: 'a', tenant: 'default', at: '2026-11-23T10:00:00Z', signal: 'metrics', tier: 'hot', date: '2026-11-23' };
    const commit = (more: object): BusEvent => {
      return { source: 'quarterdeck.storage', detailType: 'Block Committed', detail: { ...detail, blocks: 1, ...more } };
    };
    own.observeCommit(commit({ final: false, rows: 10, sizeBytes: 100 }));
    own.observeCommit(commit({ final: false, rows: 5, sizeBytes: 50 }));
    own.observeCommit(commit({ final: true, rows: 15, sizeBytes: 120 }));
    expect(value('quarterdeck_storage_written_rows_total')).toEqual([
      [{ tier: 'hot', final: 'false' }, 15],
      [{ tier: 'hot', final: 'true' }, 15],
    ]);
    expect(value('quarterdeck_storage_written_bytes_total')).toEqual([
      [{ tier: 'hot', final: 'false' }, 150],
      [{ tier: 'hot', final: 'true' }, 120],
    ]);
    expect(() => own.observeCommit(commit({ rows: -1 }))).toThrow();
  });

  it('count what the alert functions did, and what somebody else did first for itself', () => {
    const { own, value } = setUp();
    const base = { tenant: 'default', namespace: 'rules/a.yaml', group: 'a', at: '2026-11-23T10:00:00Z', samples: 1, changes: 0 };
    const evaluations = [
      { ...base, errors: [] },
      { ...base, at: '2026-11-23T09:59:00Z', errors: ['no', 'no'] },
      { ...base, errors: [], conflict: true },
    ];
    own.alerts.evaluated({ evaluations, skipped: 3 }, Date.parse('2026-11-23T10:00:02Z'));
    expect(value('quarterdeck_alerts_evaluations_total')).toEqual([
      [{ tenant: 'default', outcome: 'done' }, 1],
      [{ tenant: 'default', outcome: 'failed' }, 1],
      [{ tenant: 'default', outcome: 'conflict' }, 1],
    ]);
    expect(value('quarterdeck_alerts_rule_failures_total')).toEqual([[{ tenant: 'default', namespace: 'rules/a.yaml', group: 'a' }, 2]]);
    expect(value('quarterdeck_alerts_skipped_evaluations_total')).toEqual([[{}, 3]]);
    expect(value('quarterdeck_alerts_evaluation_lag_seconds_sum')).toEqual([[{ tenant: 'default' }, 64]]);

    const report = { tenant: 'default', taken: 1, alerts: 5, groups: 2, deliveries: 1, changes: 4 };
    own.alerts.dispatched([report, { ...report, alerts: 9, changes: 0, conflict: true }]);
    expect(value('quarterdeck_alerts_changes_total')).toEqual([[{ tenant: 'default' }, 4]]);
    expect(value('quarterdeck_alerts_held')).toEqual([[{ tenant: 'default' }, 5]]);

    own.alerts.delivered({ sent: 2, retried: 0, gaveUp: 1, superseded: 0 });
    expect(value('quarterdeck_alerts_notifications_total')).toEqual([
      [{ outcome: 'sent' }, 2],
      [{ outcome: 'gave-up' }, 1],
    ]);
  });

  it('count a delivery that was given up, once it is kept', async () => {
    const { own, value } = setUp();
    const dataDir = await mkdtemp(join(tmpdir(), 'quarterdeck-letters-'));
    const ports = await openLocal(dataDir, Date.now, { onDeadLetter: own.observeDeadLetter });
    try {
      await ports.table.put({
        pk: 'local/bus',
        sk: 'left',
        rule: 'gone',
        event: JSON.stringify({ source: 'a', detailType: 'B', detail: {} }),
      });
      await ports.bus.resume();
      await ports.bus.idle();
      expect((await ports.table.query({ pk: 'local/dead-letters' })).items).toHaveLength(1);
      expect(value('quarterdeck_bus_dead_letters_total')).toEqual([[{ rule: 'gone' }, 1]]);
    } finally {
      await ports.close();
      await rm(dataDir, { recursive: true });
    }
  });
});
