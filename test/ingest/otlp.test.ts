import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { OpsError } from '#core/errors.ts';
import { decodeOtlp, encodeOtlpError, encodeOtlpResponse, otlpEncoding } from '#ingest/otlp.ts';
import { DELTA } from '#model/samples.ts';
import { corpus } from '#test/corpora.ts';
import { bytes, rowsOf } from './decoded-rows.ts';
import { createTranslator, decodeJson } from './otlp-decode.ts';
import { createProtoWriter } from './proto-writer.ts';

const T = 1_700_000_000_000;

describe('OTLP in JSON', () => {
  it('takes numbers for strings, names for enumerations, and passes over nulls and what it does not know', () => {
    const json = {
      unknown: [1],
      resourceMetrics: [
        {
          resource: null,
          scopeMetrics: [
            {
              metrics: [
                {
                  name: 'c',
                  sum: {
                    aggregationTemporality: 'AGGREGATION_TEMPORALITY_DELTA',
                    isMonotonic: true,
                    dataPoints: [{ timeUnixNano: T * 1e6, asInt: 7, attributes: [{ key: 'a', value: { intValue: 5 } }], __proto__x: {} }],
                  },
                },
                {
                  name: 'g',
                  gauge: {
                    dataPoints: [
                      { timeUnixNano: `${T}999999`, asDouble: 'NaN' },
                      { timeUnixNano: `${T}000000`, asDouble: '-Infinity' },
                    ],
                  },
                },
              ],
            },
          ],
        },
      ],
    };
    const decoded = decodeJson(json);
    expect(rowsOf(decoded)).toEqual([`c_total{"a":"5"} 7 @${T}`, `g{} NaN @${T}`, `g{} -Infinity @${T}`]);
    expect(decoded.batch.flags[0]).toBe(DELTA);
  });

  const point = (value: object) => ({
    resourceMetrics: [{ scopeMetrics: [{ metrics: [{ name: 'm', gauge: { dataPoints: [value] } }] }] }],
  });
  it.each<[string, string, RegExp]>([
    ['no JSON', '{', /not valid JSON/],
    ['a list', '[]', /^the body must be an object and is \[\]/],
    ['a key of the wrong kind', '{"resourceMetrics":{}}', /^resourceMetrics must be an array and is \{\}/],
    [
      'a metric that is a number',
      '{"resourceMetrics":[{"scopeMetrics":[{"metrics":[1]}]}]}',
      /^resourceMetrics\[0\]\.scopeMetrics\[0\]\.metrics\[0\] must be an object and is 1/,
    ],
    [
      'a time that is no number',
      JSON.stringify(point({ timeUnixNano: 'now' })),
      /timeUnixNano must be a whole number from 0 to 18446744073709551615 and is "now"/,
    ],
    ['a negative time', JSON.stringify(point({ timeUnixNano: '-1' })), /whole number/],
    ['an integer with a fraction', JSON.stringify(point({ asInt: 1.5 })), /whole number/],
    ['an integer past int64', JSON.stringify(point({ asInt: '9223372036854775808' })), /whole number/],
    ['a double that is none', JSON.stringify(point({ asDouble: 'x' })), /must be a number/],
    [
      'a deep attribute',
      `{"resourceMetrics":[{"resource":{"attributes":[{"key":"a","value":${'{"arrayValue":{"values":['.repeat(5_000)}${']}}'.repeat(5_000)}}]}}]}`,
      /nested/,
    ],
    ['a million brackets', '['.repeat(1_000_000), /not valid JSON/],
  ])('refuses %s', (_, text, message) => {
    const call = () => decodeOtlp({ translator: createTranslator() }, bytes(text), 'json');
    expect(call).toThrow(OpsError);
    expect(call).toThrow(message);
  });

  it('refuses text that is not UTF-8, and JSON of more pieces than a request can have', () => {
    const call = (body: Uint8Array) => () => decodeOtlp({ translator: createTranslator() }, body, 'json');
    expect(call(Uint8Array.of(0x7b, 0xff, 0x7d))).toThrow(expect.objectContaining({ kind: 'input' }));
    expect(call(bytes(`{"resourceMetrics":[${'{},'.repeat(4_000_001)}{}]}`))).toThrow(expect.objectContaining({ kind: 'limit' }));
  });
});

describe('answers', () => {
  it('knows the encodings by content type', () => {
    expect(otlpEncoding('application/x-protobuf')).toBe('protobuf');
    expect(otlpEncoding('Application/JSON; charset=utf-8')).toBe('json');
    expect(otlpEncoding('text/plain')).toBeUndefined();
    expect(otlpEncoding(undefined)).toBeUndefined();
  });

  const rejections = [
    { reason: 'exponential-histogram', message: 'one', count: 300 },
    { reason: 'too-old', message: 'two', count: 1 },
  ];
  it('says what was left out, in either encoding', () => {
    const message = 'exponential-histogram (300): one; too-old (1): two';
    expect(JSON.parse(Buffer.from(encodeOtlpResponse('json', rejections)).toString())).toEqual({
      partialSuccess: { rejectedDataPoints: '301', errorMessage: message },
    });
    const expected = createProtoWriter().message(1, (m) => void m.varint(1, 301).text(2, message));
    expect([...encodeOtlpResponse('protobuf', rejections)]).toEqual([...expected.finish()]);
    expect(Buffer.from(encodeOtlpResponse('json', [])).toString()).toBe('{}');
    expect(encodeOtlpResponse('protobuf', []).length).toBe(0);
  });

  it('says what went wrong, in either encoding', () => {
    const error = new OpsError('limit', 'too much', { hint: 'Send less.' });
    expect(JSON.parse(Buffer.from(encodeOtlpError('json', error)).toString())).toEqual({ code: 8, message: 'too much. Send less.' });
    expect([...encodeOtlpError('protobuf', error)]).toEqual([...createProtoWriter().varint(1, 8).text(2, 'too much. Send less.').finish()]);
  });
});

const examples = corpus('otlp-examples');
describe.skipIf(!examples)("OpenTelemetry's own example", () => {
  it('decodes but for its exponential histogram', () => {
    const body = readFileSync(join(examples as string, 'metrics.json'));
    const decoded = decodeOtlp({ translator: createTranslator() }, body, 'json');
    const at = '@1544712660300';
    expect(rowsOf(decoded)).toEqual([
      `my_counter_total{"job":"my.service","my_counter_attr":"some value"} 5 ${at}`,
      `my_gauge_ratio{"job":"my.service","my_gauge_attr":"some value"} 10 ${at}`,
      `my_histogram_count{"job":"my.service","my_histogram_attr":"some value"} 2 ${at}`,
      `my_histogram_sum{"job":"my.service","my_histogram_attr":"some value"} 2 ${at}`,
      `my_histogram_bucket{"job":"my.service","le":"+Inf","my_histogram_attr":"some value"} 2 ${at}`,
      `my_histogram_bucket{"job":"my.service","le":"1","my_histogram_attr":"some value"} 1 ${at}`,
    ]);
    expect(decoded.rejections).toEqual([
      expect.objectContaining({ reason: 'exponential-histogram', count: 1, message: expect.stringMatching(/my\.exponential\.histogram/) }),
    ]);
  });
});
