import { describe, expect, it } from 'vitest';
import { addHistogram, formatHistogram, parseHistogram, withResetHints } from '#query/promql/histogram-notation.ts';

describe('a histogram in the notation of tests', () => {
  it.each([
    ['{{}}', '{{}}'],
    ['{{count:2 sum:-1.5 buckets:[0 1 1 0]}}', '{{count:2 sum:-1.5 offset:1 buckets:[1 1]}}'],
    [
      '{{schema:1 sum:-0.3 count:3.1 z_bucket:7.1 z_bucket_w:0.05 buckets:[5.1 10 7] offset:-3 n_buckets:[4.1 5] n_offset:-5}}',
      '{{schema:1 count:3.1 sum:-0.3 z_bucket:7.1 z_bucket_w:0.05 offset:-3 buckets:[5.1 10 7] n_offset:-5 n_buckets:[4.1 5]}}',
    ],
    [
      '{{schema:-53 custom_values:[1 2] counter_reset_hint:gauge buckets:[1]}}',
      '{{schema:-53 custom_values:[1 2] counter_reset_hint:gauge buckets:[1]}}',
    ],
  ])('%s is printed as %s, which is read the same', (text, printed) => {
    expect(formatHistogram(parseHistogram(text))).toBe(printed);
    expect(formatHistogram(parseHistogram(printed))).toBe(printed);
  });

  it.each(['{{cnt:1}}', '{{count:x}}', '{{count:1 count:2}}', '{{count}}', '{{counter_reset_hint:maybe}}'])('%s is none', (text) => {
    expect(() => parseHistogram(text)).toThrow(/^not a /);
  });

  it.each([
    ['{{count:1 sum:2 buckets:[1]}}', '{{count:1 sum:1 offset:2 buckets:[1]}}', 2, '{{count:3 sum:4 buckets:[1 0 2]}}'],
    [
      '{{schema:-1 sum:4 count:1 buckets:[1] offset:1}}',
      '{{schema:0 sum:4 count:4 buckets:[2 2] offset:1}}',
      1,
      '{{schema:-1 count:5 sum:8 offset:1 buckets:[5]}}',
    ],
    ['{{count:1 buckets:[1]}}', '{{}}', 3, '{{count:1 buckets:[1]}}'],
  ])('%s and %s, %s times, are %s', (base, step, times, sum) => {
    expect(formatHistogram(addHistogram(parseHistogram(base), parseHistogram(step), times, 1))).toBe(sum);
  });

  it('takes no other of coarser buckets, other bounds or another zero bucket', () => {
    const base = parseHistogram('{{schema:0 z_bucket_w:1 buckets:[1]}}');
    for (const step of ['{{schema:-1 buckets:[1]}}', '{{schema:-53 custom_values:[1] buckets:[1]}}', '{{z_bucket:1 z_bucket_w:2}}']) {
      expect(() => addHistogram(base, parseHistogram(step), 1, 1)).toThrow('cannot be added');
    }
  });

  it('knows of each but the first in a series whether its counter was reset', () => {
    const series = [
      '{{count:1 buckets:[1]}}',
      '{{count:2 buckets:[2]}}',
      '{{count:2 buckets:[1 1]}}',
      '{{count:3 counter_reset_hint:gauge}}',
    ];
    expect(withResetHints(series.map(parseHistogram)).map(({ hint }) => hint)).toEqual(['unknown', 'not_reset', 'reset', 'gauge']);
  });
});
