import { describe, expect, it } from 'vitest';
import { seriesFromLabels } from '#model/series.ts';
import { createMemorySource } from '#ports/memory/memory-sample-source.ts';
import type { SelectInput } from '#ports/sample-source.ts';
import { selectOnce } from '#ports/select-once.ts';

const limits = { maxSeries: 10, maxSamples: 100, maxBytes: 1e6 };

function ask(metric: string, more: Partial<SelectInput> = {}): SelectInput {
  const matchers = [{ name: '__name__', op: '=' as const, value: metric }];
  return { tenant: 't', matchers, startMs: 0, endMs: 9, rangeMs: 0, stepMs: 0, func: '', limits, ...more };
}

function start(maxSamples?: number) {
  const source = createMemorySource();
  for (const name of ['a', 'b']) source.append(seriesFromLabels([{ name: '__name__', value: name }]), [{ ts: 1, value: 1 }]);
  return { source, once: selectOnce(source, maxSamples) };
}

describe('selectOnce', () => {
  it('makes equal selections once, those under way among them', async () => {
    const { source, once } = start();
    const [first, second] = await Promise.all([once.select(ask('a')), once.select(ask('a'))]);
    expect(second).toBe(first);
    expect(await once.select(ask('a'))).toBe(first);
    expect(source.calls.select).toBe(1);
  });

  it.each([
    ['another metric', ask('b')],
    ['another tenant', ask('a', { tenant: 'u' })],
    ['another time', ask('a', { endMs: 8 })],
    ['another range', ask('a', { rangeMs: 5 })],
    ['another function', ask('a', { func: 'rate' })],
    ['other limits', ask('a', { limits: { ...limits, maxSamples: 1 } })],
    ['another matcher', ask('a', { matchers: [...ask('a').matchers, { name: 'x', op: '!=', value: 'y' }] })],
  ])('takes %s for another selection', async (_, other) => {
    const { source, once } = start();
    await once.select(ask('a'));
    await once.select(other);
    expect(source.calls.select).toBe(2);
  });

  it('makes a selection that failed again', async () => {
    const { source, once } = start();
    const tight = ask('a', { limits: { ...limits, maxSeries: 0 } });
    for (let i = 0; i < 2; i++) await expect(once.select(tight)).rejects.toThrow('more than 0 series');
    expect(source.calls.select).toBe(2);
  });

  it('keeps no more samples than it may, the latest ones', async () => {
    const { source, once } = start(1);
    for (const metric of ['a', 'b', 'b', 'a']) await once.select(ask(metric));
    expect(source.calls.select).toBe(3);
  });
});
