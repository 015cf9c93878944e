import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { isEmptyPolicy, planForget, type RetentionPolicy } from '#backups/forget/plan-forget.ts';
import { corpus } from '#test/corpora.ts';

interface Inputs {
  readonly snapshots: readonly { readonly time: string; readonly tags?: string[]; readonly paths?: string[] }[];
  readonly cases: readonly { readonly case: number; readonly policy: RetentionPolicy; readonly golden: string }[];
  readonly emptyPolicyTests: readonly { readonly policy: RetentionPolicy; readonly empty: boolean }[];
}

interface Golden {
  readonly keep: readonly { readonly time: string; readonly tags?: string[] }[] | null;
  readonly reasons?: readonly { readonly matches: readonly string[]; readonly counters: Record<string, number> }[];
}

const NOW_MS = Date.UTC(2016, 0, 20);
const folder = corpus('restic-policy');
const inputs: Inputs = folder
  ? JSON.parse(readFileSync(join(folder, 'inputs.json'), 'utf8'))
  : { snapshots: [], cases: [], emptyPolicyTests: [] };

describe.skipIf(folder === undefined)('a policy keeps what restic keeps, for its reasons', () => {
  it.each(inputs.cases)('case $case: $policy', ({ policy, golden }) => {
    const snapshots = inputs.snapshots.map(({ time, ...rest }) => ({ at: time, ...rest }));
    const kept = planForget(snapshots, policy, NOW_MS).filter(({ keep }) => keep);
    const expected: Golden = JSON.parse(readFileSync(join(folder as string, golden), 'utf8'));
    expect(kept.map(({ snapshot }) => [snapshot.at, snapshot.tags ?? []])).toEqual(
      (expected.keep ?? []).map(({ time, tags }) => [time, tags ?? []]),
    );
    expect(kept.map(({ reasons, counters }) => ({ matches: reasons, counters }))).toEqual(
      (expected.reasons ?? []).map(({ matches, counters }) => ({ matches, counters })),
    );
  });

  it.each(inputs.emptyPolicyTests)('$policy is empty: $empty', ({ policy, empty }) => {
    expect(isEmptyPolicy(policy)).toBe(empty);
  });
});

describe('a policy', () => {
  const at = (...times: string[]) => times.map((time) => ({ at: `${time}T00:00:00Z` }));

  it('keeps the newest of each quarter', () => {
    const snapshots = at('2025-02-01', '2025-03-31', '2025-04-01', '2025-12-31', '2026-01-01');
    const kept = planForget(snapshots, { quarterly: 4 }, NOW_MS).filter(({ keep }) => keep);
    expect(kept.map(({ snapshot }) => snapshot.at.slice(0, 10))).toEqual(['2026-01-01', '2025-12-31', '2025-04-01', '2025-03-31']);
  });

  it('refuses a span that is none', () => {
    expect(() => planForget(at('2025-01-01'), { within: '3 weeks' }, NOW_MS)).toThrow(/no span of time/);
    expect(() => planForget(at('2025-01-01'), { within: '1d1d' }, NOW_MS)).toThrow(/no span of time/);
  });
});
