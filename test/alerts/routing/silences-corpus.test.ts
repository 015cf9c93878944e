import { describe, expect, it } from 'vitest';
import { collectSilences, mergeSilences, querySilences } from '#alerts/routing/query-silences.ts';
import { canUpdateSilence, expireSilence, type SilenceLimits, type SilenceRequest, setSilence } from '#alerts/routing/set-silence.ts';
import {
  compileSilence,
  createSilencer,
  findMatcherFault,
  type Silence,
  type SilenceState,
  silenceState,
  validateSilence,
} from '#alerts/routing/silence.ts';
import { isOpsError } from '#core/errors.ts';
import type { LabelSet } from '#model/alert.ts';
import type { Matcher } from '#model/matcher.ts';
import { alertmanagerCorpus, readCases } from './corpus.ts';

/** A silence of the cases: seconds relative to now, null being no time at all. */
interface Written {
  readonly id?: string;
  readonly matcherSets?: Matcher[][];
  readonly startsAt?: number | null;
  readonly endsAt?: number | null;
  readonly updatedAt?: number | null;
  readonly comment?: string;
  readonly unchanged?: boolean;
}

interface Step {
  readonly at: number;
  readonly set?: Written;
  readonly id?: string;
  readonly state?: Record<string, Written>;
  readonly versionChanged?: boolean;
  readonly error?: string;
  readonly query?: string;
  readonly stateIs?: SilenceState;
  readonly muted?: boolean;
}

type MatcherFault = Omit<Matcher, 'op' | 'value'> & { op: string | number; value: string | { base64: string }; error: string | null };
type Expiry = Record<string, { updatedAt: number; expiresAt: number }>;

const cases = readCases<{
  matches: { labels: LabelSet; cases: { matcherSets: Matcher[][]; matches: boolean }[] };
  state: { silence: Written; states: SilenceState[]; kept: boolean }[];
  canUpdate: { old: Written; new: Written; ok: boolean }[];
  validateMatcher: { classic: MatcherFault[]; utf8: MatcherFault[] };
  validateSilence: { silence: Written; error: string | null }[];
  setFails: { silence: Written; error: string }[];
  query: { ids: string[] | null; filterIds?: string[]; result?: string[]; error?: string }[];
  merge: { a: Expiry; b: Expiry; result: Expiry };
  setScenario: { steps: Step[] };
  expireScenario: {
    retention: number;
    at0: Record<string, Written>;
    after: Record<string, Written>;
    countsAt1s: Record<SilenceState, number>;
  };
  muteScenario: { labels: LabelSet; steps: Step[] };
  gc: [
    { expiresAt: Record<string, number>; at: number; removed: number; left: string[] },
    { retention: number; groups: { count: number; endsAt: number }[]; rounds: { at: number; removed: number; left: number }[] },
  ];
  limits: { maxSilences: number; maxSilenceSizeBytes: number };
}>('silences.json');

const NOW = 1_700_000_000_000;
const at = (seconds: number | null | undefined) => (seconds === null || seconds === undefined ? 0 : NOW + Math.round(seconds * 1_000));
const ab: Matcher[][] = [[{ name: 'a', op: '=', value: 'b' }]];

function silence({ id = 'some_id', matcherSets = ab, startsAt, endsAt, updatedAt, comment = '' }: Written): Silence {
  return { id, matcherSets, startsAtMs: at(startsAt), endsAtMs: at(endsAt), updatedAtMs: at(updatedAt), createdBy: '', comment };
}

function request({ id, matcherSets = [], startsAt, endsAt, comment = '' }: Written): SilenceRequest {
  return { id, matcherSets, startsAtMs: startsAt === undefined ? undefined : at(startsAt), endsAtMs: at(endsAt), createdBy: '', comment };
}

/** Silences as a store would hold them, each operation being one plan that is written. */
function openStore(limits: SilenceLimits = {}) {
  const silences = new Map<string, Silence>();
  let made = 0;
  const write = (records: readonly Silence[]) => {
    for (const record of records) silences.set(record.id, record);
  };
  return {
    silences,
    set(wanted: SilenceRequest, nowMs: number, own: SilenceLimits = limits) {
      const plan = setSilence(silences, wanted, { nowMs, newId: `id-${++made}`, limits: own, mode: 'classic' });
      write(plan.write);
      return plan;
    },
    expire(id: string, nowMs: number) {
      const expired = expireSilence(silences.get(id) as Silence, nowMs);
      if (expired) write([expired]);
    },
    collect(retentionMs: number, nowMs: number) {
      const ids = collectSilences(silences.values(), retentionMs, nowMs);
      for (const id of ids) silences.delete(id);
      return ids.length;
    },
  };
}

function messageOf(act: () => unknown): string | null {
  try {
    act();
    return null;
  } catch (error) {
    if (!isOpsError(error)) throw error;
    return error.message;
  }
}

describe.skipIf(alertmanagerCorpus === undefined)("silences, by Alertmanager's own cases", () => {
  it('match, have states and are selected', () => {
    expect(cases.matches.cases).toHaveLength(10);
    for (const one of cases.matches.cases) expect([one, compileSilence(one)(cases.matches.labels)]).toEqual([one, one.matches]);
    for (const { silence: written, states, kept } of cases.state) {
      expect(querySilences(new Map([['s', silence(written)]]), { states }, NOW)).toHaveLength(kept ? 1 : 0);
    }
    const five = new Map(['1', '2', '3', '4', '5'].map((id) => [id, silence({ id, startsAt: -1, endsAt: 1 })]));
    for (const { ids, filterIds, result, error } of cases.query) {
      const query = () => querySilences(five, ids === null ? {} : { ids }, NOW).filter(({ id }) => filterIds?.includes(id) ?? true);
      if (error !== undefined) expect(query).toThrow(error);
      else expect(query().map(({ id }) => id)).toEqual(result);
    }
  });

  it('may be changed where that rewrites nothing', () => {
    expect(cases.canUpdate).toHaveLength(9);
    for (const { old, new: wanted, ok } of cases.canUpdate) {
      expect([old, wanted, canUpdateSilence(silence(old), silence(wanted), NOW)]).toEqual([old, wanted, ok]);
    }
  });

  it('are refused with the same words', () => {
    for (const mode of ['classic', 'utf8'] as const) {
      for (const { error, value, ...matcher } of cases.validateMatcher[mode]) {
        const text = typeof value === 'string' ? value : '\ud800'; // JavaScript's own text that is no UTF-8
        const fault = findMatcherFault({ ...matcher, value: text } as Matcher, mode);
        expect([mode, matcher, fault]).toEqual([mode, matcher, error === null ? undefined : expect.stringContaining(error)]);
      }
    }
    for (const { silence: written, error } of cases.validateSilence) {
      const found = messageOf(() => validateSilence(silence(written), 'classic'));
      expect([written, found]).toEqual([written, error === null ? null : expect.stringContaining(error)]);
    }
    for (const { silence: written, error } of cases.setFails) {
      expect(messageOf(() => openStore().set(request(written), NOW))).toContain(error);
    }
  });

  it('merge by the later update', () => {
    const read = (of: Expiry) =>
      new Map(
        Object.entries(of).map(([id, { updatedAt, expiresAt }]) => [id, silence({ id, startsAt: -9, endsAt: expiresAt - 60, updatedAt })]),
      );
    const merged = mergeSilences(read(cases.merge.a), read(cases.merge.b).values(), 60_000, NOW);
    expect(new Map([...merged].sort())).toEqual(new Map([...read(cases.merge.result)].sort()));
  });

  it('keep their ids and their history through changes', () => {
    const store = openStore();
    const letters = new Map<string, string>();
    const name = (id: string) => letters.get(id) ?? id;
    for (const { at: second, set, id, state = {}, versionChanged, error, query, stateIs } of cases.setScenario.steps) {
      if (query !== undefined) {
        expect(silenceState(store.silences.get(name(query)) as Silence, at(second))).toBe(stateIs);
        continue;
      }
      const known = set?.id === undefined ? undefined : store.silences.get(name(set.id));
      const wanted = { ...(known ?? {}), ...dropUndefined(request(set as Written)), ...(known ? { id: known.id } : {}) } as SilenceRequest;
      const matcherSets = set?.matcherSets ?? known?.matcherSets ?? [];
      const endsAtMs = set?.endsAt === undefined ? (known?.endsAtMs ?? 0) : at(set.endsAt);
      const comment = set?.comment ?? known?.comment ?? '';
      const act = () => store.set({ ...wanted, matcherSets, endsAtMs, comment }, at(second));
      if (error !== undefined) {
        expect(messageOf(act)).toBe(error);
        continue;
      }
      const plan = act();
      expect([second, letters.has(id as string)]).toEqual([second, !plan.created]);
      if (plan.created) letters.set(id as string, plan.id);
      expect(plan.id).toBe(name(id as string));
      if (versionChanged !== undefined) expect(plan.created).toBe(versionChanged);
      for (const [letter, expected] of Object.entries(state)) {
        expect([second, store.silences.get(name(letter))]).toEqual([second, silence({ ...expected, id: name(letter) })]);
      }
    }
  });

  it('expire once', () => {
    const { at0, after, countsAt1s } = cases.expireScenario;
    const store = openStore();
    for (const [id, written] of Object.entries(at0))
      store.silences.set(id, silence({ ...written, id, updatedAt: written.startsAt === -3600 ? -3600 : null }));
    for (const id of Object.keys(at0)) store.expire(id, NOW);
    for (const [id, written] of Object.entries(after)) expect(store.silences.get(id)).toEqual(silence({ ...written, id }));
    for (const [state, count] of Object.entries(countsAt1s)) {
      expect(querySilences(store.silences, { states: [state as SilenceState] }, NOW + 1_000)).toHaveLength(count);
    }
  });

  it('mute while they are active', () => {
    const { labels, steps } = cases.muteScenario;
    const store = openStore();
    const letters = new Map<string, string>();
    for (const { at: second, set, id, muted } of steps) {
      if (muted !== undefined)
        expect([second, createSilencer(store.silences.values(), at(second))(labels).length > 0]).toEqual([second, muted]);
      if (!set) continue;
      const plan = store.set({ ...request(set), id: set.id && (letters.get(set.id) as string) }, at(second));
      if (id !== undefined) letters.set(id, plan.id);
    }
  });

  it('are collected after their retention', () => {
    const [single, rounds] = cases.gc;
    const own = Object.entries(single.expiresAt).map(([id, expiresAt]) => silence({ id, startsAt: -9, endsAt: expiresAt }));
    const gone = collectSilences(own, 0, at(single.at));
    expect([gone.length, own.map(({ id }) => id).filter((id) => !gone.includes(id))]).toEqual([single.removed, single.left]);
    const store = openStore();
    for (const { count, endsAt } of rounds.groups)
      for (let i = 0; i < count; i++) store.set({ ...request({ matcherSets: ab, endsAt }) }, NOW);
    for (const { at: second, removed, left } of rounds.rounds) {
      expect([second, store.collect(rounds.retention * 1_000, at(second)), store.silences.size]).toEqual([second, removed, left]);
    }
  });

  it('keep within limits, and a refusal changes nothing', () => {
    const { maxSilences, maxSilenceSizeBytes } = cases.limits;
    const limits = { maxSilences, maxSilenceSizeBytes };
    const store = openStore(limits);
    const build = (name: string, value: string): SilenceRequest => request({ matcherSets: [[{ name, op: '=', value }]], endsAt: 300 });
    const s1 = store.set(build('a', 'b'), NOW).id;
    const full = 'exceeded maximum number of silences: 1 (limit: 1)';
    expect(messageOf(() => store.set(build('c', 'd'), NOW))).toBe(full);
    store.expire(s1, NOW + 1);
    expect(store.collect(0, NOW + 1)).toBe(1);
    const s2 = store.set(build('c', 'd'), NOW + 1).id;
    store.expire(s2, NOW + 2);
    expect(store.collect(0, NOW + 2)).toBe(1);
    const long = 'x'.repeat(1_024);
    const big = { ...build(long, long), createdBy: long, comment: long };
    expect(
      messageOf(() =>
        store.set({ ...big, matcherSets: [[...(big.matcherSets[0] as Matcher[]), { name: `y${long}`, op: '=', value: long }]] }, NOW + 2),
      ),
    ).toContain('silence exceeded maximum size');
    const s4 = store.set(build('k', 'l'), NOW + 2).id;
    const now = NOW + 3;
    expect(store.set(store.silences.get(s4) as Silence, now).id).toBe(s4);
    expect(store.set({ ...(store.silences.get(s4) as Silence), comment: 'm' }, now).id).toBe(s4);
    const current = store.silences.get(s4) as Silence;
    expect(messageOf(() => store.set({ ...current, startsAtMs: now + 60_000, endsAtMs: now + 600_000 }, now))).toBe(full);
    const two = { ...limits, maxSilences: 2 };
    const comment = 'x'.repeat(4_096);
    expect(messageOf(() => store.set({ ...current, comment }, now, two))).toContain('silence exceeded maximum size');
    const others = [[{ name: 'n', op: '=', value: 'o' }]] as const;
    expect(messageOf(() => store.set({ ...current, comment, matcherSets: others }, now, two))).toContain('silence exceeded maximum size');
    expect(silenceState(store.silences.get(s4) as Silence, now)).toBe('active');
  });
});

function dropUndefined(record: object): object {
  return Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined));
}
