import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isOpsError } from '#core/errors.ts';
import type { Decoded } from '#ingest/decoded.ts';
import { decodeOtlp } from '#ingest/otlp.ts';
import { bytes, rowsOf } from './decoded-rows.ts';
import { createTranslator, decode, decodeJson } from './otlp-decode.ts';
import { encodeOtlp, type Metric, otlpJson } from './otlp-writer.ts';

describe('laws', () => {
  const name = fc.stringMatching(/^[a-z.]{1,12}$/);
  const attributes = fc.dictionary(
    name,
    fc.oneof(fc.string({ unit: 'binary' }), fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), fc.boolean(), fc.double()),
    { maxKeys: 5 },
  );
  const time = fc.record({
    attributes,
    tsMs: fc.integer({ min: 0, max: 2 ** 43 }),
    startMs: fc.integer({ min: 0, max: 2 ** 43 }),
    flags: fc.constantFrom(0, 1),
  });
  const number = fc
    .tuple(time, fc.oneof(fc.record({ double: fc.double() }), fc.record({ int: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }) })))
    .map(([a, b]) => ({ ...a, ...b }));
  const histogram = fc
    .tuple(
      time,
      fc.record({
        count: fc.nat(),
        sum: fc.double(),
        counts: fc.array(fc.nat(), { maxLength: 5 }),
        bounds: fc.array(fc.double(), { maxLength: 5 }),
      }),
    )
    .map(([a, b]) => ({ ...a, ...b }));
  const summary = fc
    .tuple(
      time,
      fc.record({ count: fc.nat(), sum: fc.double(), quantiles: fc.array(fc.tuple(fc.double(), fc.double()), { maxLength: 3 }) }),
    )
    .map(([a, b]) => ({ ...a, ...b }));
  const temporality = fc.constantFrom(0, 1, 2);
  const metric: fc.Arbitrary<Metric> = fc
    .tuple(
      fc.record({ name, unit: fc.constantFrom('', 's', '1', 'By/s', '{x}') }),
      fc.oneof(
        fc.record({ gauge: fc.array(number, { maxLength: 3 }) }),
        fc.record({ sum: fc.record({ temporality, monotonic: fc.boolean(), points: fc.array(number, { maxLength: 3 }) }) }),
        fc.record({ histogram: fc.record({ temporality, points: fc.array(histogram, { maxLength: 3 }) }) }),
        fc.record({ summary: fc.array(summary, { maxLength: 3 }) }),
      ),
    )
    .map(([a, b]) => ({ ...a, ...b }));
  const request = fc.array(fc.record({ resource: attributes, metrics: fc.array(metric, { maxLength: 4 }) }), { maxLength: 3 });

  it('decodes both encodings to the same, with whatever the cache already knows', () => {
    const translator = createTranslator();
    const outcome = (decoded: Decoded) => ({
      rows: rowsOf(decoded),
      flags: [...decoded.batch.flags],
      rejections: decoded.rejections,
      metadata: decoded.metadata,
    });
    fc.assert(
      fc.property(request, (resources) => {
        const fresh = outcome(decode(resources, createTranslator()));
        const again = outcome(decode(resources, createTranslator()));
        expect(again).toEqual(fresh);
        expect(outcome(decodeJson(otlpJson(resources), createTranslator()))).toEqual(fresh);
        decode(resources, translator);
        expect(decode(resources, translator).batch.ts.length).toBe(decode(resources, translator).batch.ts.length);
      }),
      { numRuns: 200 },
    );
  });

  it('meets damaged bytes with an OpsError or a batch', () => {
    const translator = createTranslator();
    const survives = (call: () => Decoded) => {
      try {
        const { batch } = call();
        for (const index of batch.seriesIndex) expect(batch.series[index]).toBeDefined();
      } catch (error) {
        if (!isOpsError(error)) throw error;
      }
    };
    fc.assert(
      fc.property(request, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 8 }), fc.nat(), (resources, changes, cut) => {
        const body = Uint8Array.from(encodeOtlp(resources));
        for (const [at, byte] of changes) if (body.length > 0) body[at % body.length] = byte;
        survives(() => decodeOtlp({ translator }, body, 'protobuf'));
        survives(() => decodeOtlp({ translator }, body.subarray(0, cut % (body.length + 1)), 'protobuf'));
      }),
      { numRuns: 300 },
    );
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 200 }), fc.json().map(bytes)), (body) => {
        survives(() => decodeOtlp({ translator }, body, 'protobuf'));
        survives(() => decodeOtlp({ translator }, body, 'json'));
      }),
      { numRuns: 500 },
    );
  });
});
