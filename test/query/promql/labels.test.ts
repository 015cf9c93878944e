import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareUtf8 } from '#core/text.ts';
import { type Series, seriesFromLabels } from '#model/series.ts';
import { allLabels, compareLabelSets, dropMetadata, formatLabels, keepLabels, makeSignature, withLabel } from '#query/promql/labels.ts';
import { compareNatural } from '#query/promql/natural-order.ts';

function make(labels: Record<string, string>): Series {
  return seriesFromLabels(Object.entries(labels).map(([name, value]) => ({ name, value })));
}

const labelSet = fc
  .dictionary(fc.constantFrom('A', '__name__', '_', 'a', 'b', '\u{1F600}'), fc.constantFrom('', '1', '2', 'x', '\uffff', '\u{10000}'))
  .map(make);

describe('label sets', () => {
  it('are ordered pair by pair, with the name at its place', () => {
    const naive = (a: Series, b: Series) => {
      const [x, y] = [allLabels(a), allLabels(b)];
      for (let i = 0; i < Math.min(x.length, y.length); i++) {
        const order = compareUtf8(x[i]?.name ?? '', y[i]?.name ?? '') || compareUtf8(x[i]?.value ?? '', y[i]?.value ?? '');
        if (order !== 0) return Math.sign(order);
      }
      return Math.sign(x.length - y.length);
    };
    fc.assert(fc.property(labelSet, labelSet, (a, b) => Math.sign(compareLabelSets(a, b)) === naive(a, b)));
  });

  it('keep one spelling whatever is set and taken away', () => {
    const name = fc.constantFrom('__name__', 'a', 'b', 'c');
    fc.assert(
      fc.property(labelSet, name, fc.constantFrom('', '1', 'new'), (series, label, value) => {
        const changed = withLabel(series, label, value);
        const rest = allLabels(series).filter((other) => other.name !== label);
        expect(changed).toEqual(seriesFromLabels([...rest, { name: label, value }]));
      }),
    );
  });

  it('have equal signatures exactly if the labels in question are equal', () => {
    fc.assert(
      fc.property(labelSet, labelSet, fc.subarray(['__name__', 'A', 'a', 'b']), (a, b, names) => {
        const kept = new Set(names);
        const same = JSON.stringify(allLabels(keepLabels(a, kept))) === JSON.stringify(allLabels(keepLabels(b, kept)));
        const signature = makeSignature(true, names);
        expect(signature(a) === signature(b)).toBe(same);
      }),
    );
  });

  it.each([
    ['without labels', {}, '{}'],
    ['with the name among them', { __name__: 'up', job: 'a' }, '{__name__="up", job="a"}'],
    ['with names that need quotes', { 'a.b': 'x"y\n' }, '{"a.b"="x\\"y\\n"}'],
  ])('are shown %s', (_, labels, shown) => {
    expect(formatLabels(make(labels as Record<string, string>))).toBe(shown);
  });

  it('lose name, type and unit together', () => {
    expect(formatLabels(dropMetadata(make({ __name__: 'm', __type__: 'counter', __unit__: 's', a: '1' })))).toBe('{a="1"}');
  });
});

describe('natural order', () => {
  it.each([
    ['numbers by value', ['cpu10', 'cpu2', 'cpu1'], ['cpu1', 'cpu2', 'cpu10']],
    ['numbers beyond 2^53', ['a90071992547409931', 'a90071992547409930'], ['a90071992547409930', 'a90071992547409931']],
    ['the shorter first', ['a1b', 'a1', ''], ['', 'a1', 'a1b']],
    ['versions', ['4.19.10', '4.19.9', '4.2'], ['4.2', '4.19.9', '4.19.10']],
  ])('%s', (_, texts, sorted) => {
    expect([...texts].sort(compareNatural)).toEqual(sorted);
  });
});
