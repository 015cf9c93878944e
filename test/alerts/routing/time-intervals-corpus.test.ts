import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { containingIntervals, containsTime, type TimeInterval } from '#alerts/routing/time-interval.ts';
import { formatTimeInterval, timeIntervalSettings, timeRangeSettings } from '#alerts/routing/time-interval-settings.ts';
import { alertmanagerCorpus, readCases } from './corpus.ts';

interface Instants {
  readonly inside?: readonly string[];
  readonly outside?: readonly string[];
}

const cases = readCases<{
  contains: (Instants & { interval: TimeInterval })[];
  timeRange: { yaml: string; minutes?: [number, number]; error?: boolean }[];
  parse: (Instants & { yaml: string; intervals?: TimeInterval[]; error?: string })[];
  complete: (Instants & { yaml: string })[];
  mutes: { intervals: Record<string, TimeInterval[]>; cases: { name: string; now: string; mutedBy: string[] }[] };
}>('time-intervals.json');

function expectInstants(intervals: readonly TimeInterval[], { inside = [], outside = [] }: Instants): void {
  const contained = (instant: string) => intervals.some((interval) => containsTime(interval, Date.parse(instant)));
  expect(inside.filter((instant) => !contained(instant))).toEqual([]);
  expect(outside.filter(contained)).toEqual([]);
}

const read = (yaml: string) => timeIntervalSettings.array().safeParse([parse(yaml, { schema: 'failsafe' })].flat());

describe.skipIf(alertmanagerCorpus === undefined)("time intervals, by Alertmanager's own cases", () => {
  it('contain the same moments', () => {
    expect([cases.contains.length, cases.complete.length]).toEqual([8, 2]);
    for (const { interval, ...instants } of cases.contains) expectInstants([interval], instants);
    for (const { yaml, ...instants } of cases.complete) expectInstants(read(yaml).data as TimeInterval[], instants);
  });

  it('are read, or refused with the same words', () => {
    expect([cases.parse.length, cases.timeRange.length]).toEqual([21, 8]);
    for (const { yaml, intervals, error, ...instants } of cases.parse) {
      const { data, error: found } = read(yaml);
      if (error !== undefined) expect([yaml, found?.issues.map(({ message }) => message)]).toEqual([yaml, [error]]);
      else {
        expect([yaml, data]).toEqual([yaml, intervals]);
        expectInstants(data as TimeInterval[], instants);
        expect(
          timeIntervalSettings.array().parse(data?.map((interval) => JSON.parse(JSON.stringify(formatTimeInterval(interval))))),
        ).toEqual(data);
      }
    }
    for (const { yaml, minutes, error } of cases.timeRange) {
      const parsed = timeRangeSettings.safeParse(parse(yaml, { schema: 'failsafe' }));
      expect([yaml, parsed.success ? parsed.data : undefined]).toEqual([yaml, error ? undefined : minutes]);
    }
  });

  it('mute by name', () => {
    const intervals = new Map(Object.entries(cases.mutes.intervals));
    expect(cases.mutes.cases).toHaveLength(6);
    for (const { name, now, mutedBy } of cases.mutes.cases) {
      expect([name, containingIntervals(intervals, [...intervals.keys()], Date.parse(now))]).toEqual([name, mutedBy]);
    }
  });
});
