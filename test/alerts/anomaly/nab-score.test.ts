import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { corpus } from '#test/corpora.ts';
import { type NabSeries, readNabCorpus, readNabResult } from './nab-corpus.ts';
import { nabProfiles, scoreNab, scoreNabAt } from './nab-score.ts';

const path = corpus('nab');

describe.skipIf(path === undefined)('the scorer on published results', () => {
  const root = path as string;
  const published = JSON.parse(path === undefined ? '{}' : readFileSync(join(root, 'published-scores.json'), 'utf8'));
  const all = path === undefined ? [] : readNabCorpus(root);
  const profiles = Object.entries(nabProfiles);

  it('reads 58 series with 365,558 rows and 116 windows', () => {
    expect(all).toHaveLength(58);
    expect(all.reduce((sum, { value }) => sum + value.length, 0)).toBe(365_558);
    expect(all.flatMap(({ windows }) => windows).filter(({ first, last }) => first >= 0 && last > first)).toHaveLength(116);
  });

  for (const detector of ['ARTime', 'windowedGaussian']) {
    it(`gives ${detector} what upstream published, at full precision`, () => {
      const results = all.map((series) => ({ series, scores: readNabResult(root, detector, series) }));
      for (const [name, profile] of profiles) {
        const { normalized, threshold } = scoreNab(results, profile);
        expect(normalized, name).toBeCloseTo(published.fullPrecision[name][detector], 9);
        expect(scoreNabAt(results, profile, threshold), name).toBeCloseTo(normalized, 9);
      }
    });
  }
});

describe('the scorer', () => {
  const series: NabSeries = {
    name: 'made/up.csv',
    tsMs: Float64Array.from({ length: 100 }, (_, i) => i),
    value: new Float64Array(100),
    windows: [{ first: 50, last: 59 }],
  };
  const scored = (...rows: number[]) => [{ series, scores: Float64Array.from({ length: 100 }, (_, i) => (rows.includes(i) ? 1 : 0)) }];
  const scoreAt = (...rows: number[]) => scoreNabAt(scored(...rows), nabProfiles.standard, 1);

  it('gives nothing for no detection, and all for the first row of a window', () => {
    expect(scoreAt()).toBe(0);
    expect(scoreAt(50)).toBeCloseTo(100, 12);
    expect(scoreNab(scored(), nabProfiles.standard)).toEqual({ normalized: 0, threshold: Number.POSITIVE_INFINITY });
  });

  it('counts the earliest detection in a window, once', () => {
    expect(scoreAt(50, 51, 58)).toBe(scoreAt(50));
    expect(scoreAt(55, 58)).toBe(scoreAt(55));
    expect(scoreAt(55)).toBeLessThan(scoreAt(51));
  });

  it('charges a false alarm in full before the first window and far behind one, less close behind one', () => {
    expect(scoreAt(50) - scoreAt(20, 50)).toBeCloseTo(5.5, 10);
    expect(scoreAt(50) - scoreAt(50, 95)).toBeCloseTo(5.5, 10);
    expect(scoreAt(50) - scoreAt(50, 60)).toBeLessThan(3);
  });

  it('leaves out the first 15 % of a series', () => {
    expect(scoreAt(14, 50)).toBe(scoreAt(50));
    expect(scoreAt(15, 50)).toBeLessThan(scoreAt(50));
  });
});
