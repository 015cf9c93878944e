import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createByteCache } from '#ingest/byte-cache.ts';
import { defaultIngestLimits } from '#ingest/limits.ts';
import { createSeriesCache, type SeriesCache } from '#ingest/series-cache.ts';
import { type Label, seriesFromLabels } from '#model/series.ts';
import { createProtoWriter } from './proto-writer.ts';

const limits = defaultIngestLimits;
const encode = (labels: readonly Label[]) => {
  const writer = createProtoWriter();
  for (const { name, value } of labels) writer.message(1, (m) => void m.text(1, name).text(2, value));
  return writer.finish();
};
const lookup = (cache: SeriesCache, bytes: Uint8Array) =>
  cache.lookup(new DataView(bytes.buffer, bytes.byteOffset, bytes.length), 0, bytes.length);
const label = (name: string, value: string): Label => ({ name, value });
const up = [label('__name__', 'up'), label('job', 'a'), label('instance', 'b:1')];

describe('createSeriesCache', () => {
  it('hands out one object for one content, whichever way it came', () => {
    const cache = createSeriesCache({ maxSeries: 10, limits });
    const first = lookup(cache, encode(up)).series;
    expect(first).toEqual(seriesFromLabels(up));
    expect(lookup(cache, encode(up)).series).toBe(first);
    expect(lookup(cache, encode([...up].reverse())).series).toBe(first);
    expect(cache.intern(up).series).toBe(first);
    expect(cache.intern([...up, label('empty', '')]).series).toBe(first);
    expect(lookup(cache, encode([...up, label('x', 'y')])).series).not.toBe(first);
  });

  it('keeps one object for one content across evictions while it is held', () => {
    const cache = createSeriesCache({ maxSeries: 2, limits });
    const held = lookup(cache, encode(up)).series;
    for (let i = 0; i < 20; i++) lookup(cache, encode([...up, label('n', String(i))]));
    expect(lookup(cache, encode(up)).series).toBe(held);
  });

  it('does not look at the body again once it has been taken in', () => {
    const cache = createSeriesCache({ maxSeries: 10, limits });
    const body = encode(up);
    const first = lookup(cache, body).series;
    body.fill(0xff);
    expect(lookup(cache, encode(up)).series).toBe(first);
    expect(first?.metric).toBe('up');
  });

  const long = (n: number) => 'x'.repeat(n);
  const many = (n: number) => Array.from({ length: n }, (_, i) => label(`l${i}`, 'v'));
  it.each<[string, string, Label[], RegExp]>([
    ['no metric name', 'missing-metric-name', [label('job', 'a')], /\{"job"="a"\}/],
    ['no labels at all', 'missing-metric-name', [], /no metric name/],
    ['an empty metric name', 'missing-metric-name', [label('__name__', '')], /no metric name/],
    ['an empty label name', 'empty-label-name', [...up, label('', 'v')], /no name/],
    ['a name twice', 'duplicate-label', [...up, label('job', 'b')], /"job" appears twice in a series of "up"/],
    ['the same label twice', 'duplicate-label', [...up, label('job', 'a')], /"job"/],
    ['the metric twice', 'duplicate-label', [...up, label('__name__', 'up')], /"__name__"/],
    ['65 labels', 'label-limit', [...up, ...many(63)], /65|more than 64/],
    ['10^5 labels', 'label-limit', [...up, ...many(100_000)], /100002|more than 64/],
    ['a label name of 1,025 bytes', 'name-too-long', [...up, label(long(1_025), 'v')], /1025 bytes, the limit is 1024/],
    ['a metric name of 1,025 bytes', 'name-too-long', [label('__name__', long(1_025))], /1025 bytes/],
    ['a value of 8,193 bytes', 'value-too-long', [...up, label('a', long(8_193))], /"a" has 8193 bytes, the limit is 8192/],
    ['a value of 2,731 characters of three bytes', 'value-too-long', [...up, label('a', '\u20ac'.repeat(2_731))], /8193 bytes/],
  ])('rejects %s, by bytes and by content alike', (_name, reason, labels, message) => {
    const cache = createSeriesCache({ maxSeries: 10, limits });
    for (const found of [lookup(cache, encode(labels)), lookup(cache, encode(labels)), cache.intern(labels)]) {
      expect(found.rejection?.reason).toBe(reason);
      expect(found.rejection?.message).toMatch(message);
    }
  });

  it.each<[string, Label[]]>([
    ['64 labels beside the metric', [label('__name__', 'm'), ...many(64)]],
    ['names and values at their limits', [label('__name__', long(1_024)), label(long(1_024), long(8_192))]],
    ['any UTF-8 in names', [label('__name__', 'a metric.with \u20ac'), label('http.status code', '200\n')]],
    ['names that begin with two underscores', [label('__name__', 'm'), label('__address__', 'x'), label('__proto__', 'y')]],
    ['a byte order mark, which is text', [label('__name__', '\ufeffm')]],
  ])('takes %s', (_name, labels) => {
    const cache = createSeriesCache({ maxSeries: 10, limits });
    expect(lookup(cache, encode(labels)).series).toEqual(seriesFromLabels(labels));
    expect(cache.intern(labels).series).toBe(lookup(cache, encode(labels)).series);
  });

  it('rejects bytes that are not UTF-8 and surrogates that stand alone', () => {
    const cache = createSeriesCache({ maxSeries: 10, limits });
    const bytes = createProtoWriter()
      .message(1, (m) => void m.text(1, '__name__').bytes(2, Uint8Array.of(0xff)))
      .finish();
    expect(lookup(cache, bytes).rejection).toEqual({ reason: 'invalid-utf8', message: 'the value of label "__name__" is not valid UTF-8' });
    const name = createProtoWriter()
      .message(1, (m) => void m.bytes(1, Uint8Array.of(0x61, 0xc3)))
      .finish();
    expect(lookup(cache, name).rejection?.reason).toBe('invalid-utf8');
    expect(cache.intern([label('__name__', 'm\ud800')]).rejection?.reason).toBe('invalid-utf8');
  });

  it('agrees with the model on any labels', () => {
    const cache = createSeriesCache({ maxSeries: 50, limits });
    const labels = fc.uniqueArray(fc.record({ name: fc.string({ minLength: 1, unit: 'binary' }), value: fc.string({ unit: 'binary' }) }), {
      selector: (one) => one.name,
      maxLength: 6,
    });
    fc.assert(
      fc.property(labels, fc.string({ minLength: 1 }), (some, metric) => {
        const all = [...some.filter((one) => one.name !== '__name__'), label('__name__', metric)];
        expect(lookup(cache, encode(all)).series).toEqual(seriesFromLabels(all));
        expect(cache.intern([...all].reverse()).series).toBe(lookup(cache, encode(all)).series);
      }),
    );
  });
});

describe('createByteCache', () => {
  const key = (text: string) => {
    const bytes = new TextEncoder().encode(text);
    return [new DataView(bytes.buffer), 0, bytes.length] as const;
  };

  it('behaves as a map that forgets, for any keys and seeds', () => {
    const operation = fc.tuple(fc.string({ maxLength: 20 }), fc.nat({ max: 2 }));
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 200 }), (operations) => {
        const cache = createByteCache<string>({ maxEntries: 8, maxKeyBytes: 4_096 });
        for (const [text, seed] of operations) {
          const known = cache.get(...key(text), seed);
          expect(known === undefined || known === `${seed}/${text}`).toBe(true);
          if (known === undefined) cache.set(...key(text), seed, `${seed}/${text}`);
          expect(cache.get(...key(text), seed)).toBe(`${seed}/${text}`);
        }
      }),
    );
  });

  it('keeps what is asked for and drops what is not', () => {
    const cache = createByteCache<number>({ maxEntries: 100, maxKeyBytes: 100_000 });
    cache.set(...key('asked'), 0, 1);
    cache.set(...key('unasked'), 0, 2);
    for (let i = 0; i < 1_000; i++) {
      cache.set(...key(`other ${i}`), 0, i);
      expect(cache.get(...key('asked'), 0)).toBe(1);
    }
    expect(cache.get(...key('unasked'), 0)).toBeUndefined();
  });

  it('does not keep a key out of proportion', () => {
    const cache = createByteCache<number>({ maxEntries: 100, maxKeyBytes: 1_600 });
    cache.set(...key('x'.repeat(101)), 0, 1);
    expect(cache.get(...key('x'.repeat(101)), 0)).toBeUndefined();
  });
});
