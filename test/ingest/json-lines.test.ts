import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isOpsError } from '#core/errors.ts';
import { compareUtf8 } from '#core/text.ts';
import { decodeJsonLines } from '#ingest/json-lines.ts';
import type { RejectedLine } from '#ingest/line-run.ts';
import { bytes, rowsOf, testContext } from './decoded-rows.ts';

const decode = (text: string) => decodeJsonLines(bytes(text), testContext());
const X = '"metric":{"__name__":"x"}';

describe('decodeJsonLines', () => {
  it('reads a series a line, with stale markers and what JSON cannot spell', () => {
    const text = `{"metric":{"__name__":"x","job":"y"},"values":[1,null,"NaN","Inf","+Inf","-Inf",-0.0],"timestamps":[1,2,3,4,5,6,-7]}\r

{"timestamps":[9],"values":[1.5e3],"metric":{"job":"\\u00e9","__name__":"z","gone":""},"more":{}}`;
    expect(rowsOf(decode(text))).toEqual([
      'x{"job":"y"} 1 @1',
      'x{"job":"y"} stale @2',
      'x{"job":"y"} NaN @3',
      'x{"job":"y"} Infinity @4',
      'x{"job":"y"} Infinity @5',
      'x{"job":"y"} -Infinity @6',
      'x{"job":"y"} -0 @-7',
      'z{"job":"é"} 1500 @9',
    ]);
  });

  it.each([
    ['what is not JSON', `{${X},"values":[1],"timestamps":[1]}\n{"metric"`, /^line 2, column \d+: not valid JSON: /],
    ['JSON of another shape', '[1]', 'line 1, column 1: expected an object with metric, values and timestamps'],
    ['null', 'null', 'line 1, column 1: expected an object'],
    ['a line without metric', '{"values":[],"timestamps":[]}', 'line 1, column 1: metric must be an object'],
    [
      'labels that are not strings',
      '{"metric":{"__name__":1},"values":[],"timestamps":[]}',
      'the value of label "__name__" must be a string',
    ],
    ['a line without values', `{${X},"timestamps":[]}`, 'values must be an array'],
    ['a line without timestamps', `{${X},"values":[]}`, 'timestamps must be an array'],
    ['arrays of unequal length', `{${X},"values":[1,2],"timestamps":[1]}`, 'must have the same length, not 2 and 1'],
    ['a text as value', `{${X},"values":["1"],"timestamps":[1]}`, 'values[0] must be a number within double range, null, "NaN"'],
    ['a value named like an object method', `{${X},"values":["constructor"],"timestamps":[1]}`, 'values[0] must be a number'],
    ['a value past all doubles', `{${X},"values":[1,1e999],"timestamps":[1,2]}`, 'values[1] must be a number'],
    ['a fraction of a millisecond', `{${X},"values":[1],"timestamps":[1.5]}`, 'timestamps[0] must be a whole number of milliseconds'],
    ['a text as timestamp', `{${X},"values":[1],"timestamps":["1"]}`, 'timestamps[0] must be a whole number'],
    ['a line past 10 Mi characters', `{${X},"values":[${'1,'.repeat(6e6)}1]`, 'line 1, column 1: the line is longer than'],
    ['deep nesting', '['.repeat(1e6), 'not valid JSON'],
  ])('refuses %s', (_, text, message) => {
    expect(() => decode(text)).toThrow(message);
  });

  it('rejects single series and samples for limits, and keeps the rest', () => {
    const labels = Array.from({ length: 1e5 }, (_, i) => `"l${i}":"v"`).join();
    const decoded = decode(`{"metric":{"__name__":"x",${labels}},"values":[1,2],"timestamps":[1,2]}
{"metric":{"job":"y"},"values":[1],"timestamps":[1]}
{"metric":{"__name__":"x\\ud800"},"values":[1],"timestamps":[1]}
{${X},"values":[1,2,3],"timestamps":[1,1e300,-9223372036854775808]}`);
    expect(rowsOf(decoded)).toEqual(['x{} 1 @1']);
    expect(decoded.rejections.map(({ reason, count }) => `${reason} ${count}`)).toEqual([
      'label-limit 2',
      'missing-metric-name 1',
      'invalid-utf8 1',
      'timestamp-out-of-range 2',
    ]);
  });

  it('leaves bad lines out where it is told to, and reports each', () => {
    const rejected: RejectedLine[] = [];
    const body = bytes(
      `{${X},"values":[1],"timestamps":[1]}\nx\n{${X},"values":[1,"x"],"timestamps":[1,2]}\n{${X},"values":[2],"timestamps":[2]}\n`,
    );
    const decoded = decodeJsonLines(body, testContext(), { onBadLine: 'reject', onRejectedLine: (line) => rejected.push(line) });
    expect(rowsOf(decoded)).toEqual(['x{} 1 @1', 'x{} 2 @2']);
    expect(decoded.rejections).toEqual([
      { reason: 'malformed-line', message: expect.stringMatching(/^line 2, column 1: not valid JSON/), count: 2 },
    ]);
    expect(rejected.map(({ line }) => line)).toEqual([2, 3]);
  });

  it('answers any bytes with samples or an input error', () => {
    const line = fc.oneof(
      fc.json(),
      fc.constant(`{${X},"values":[1],"timestamps":[1]}`),
      fc.string({ unit: 'binary' }),
      fc
        .record({ metric: fc.jsonValue(), values: fc.jsonValue(), timestamps: fc.array(fc.integer()) })
        .map((value) => JSON.stringify(value)),
    );
    const body = fc.oneof(
      fc.array(line, { maxLength: 4 }).map((lines) => bytes(lines.join('\n'))),
      fc.uint8Array({ maxLength: 60 }),
    );
    fc.assert(
      fc.property(body, (input) => {
        const kept = decodeJsonLines(input, testContext(), { onBadLine: 'reject' });
        try {
          expect(rowsOf(decodeJsonLines(input, testContext()))).toEqual(rowsOf(kept));
        } catch (error) {
          if (!isOpsError(error, 'input')) throw error;
        }
      }),
      { numRuns: 500 },
    );
  });

  it('reads back what is written', () => {
    const text = fc.string({ unit: 'binary', maxLength: 10 });
    const labels = fc.dictionary(
      text.filter((name) => name !== '' && name !== '__name__'),
      text,
      { maxKeys: 5 },
    );
    const point = fc.record({ value: fc.option(fc.double()), ts: fc.maxSafeInteger() });
    const series = fc.record({ metric: text.filter((name) => name !== ''), labels, points: fc.array(point, { maxLength: 5 }) });
    fc.assert(
      fc.property(fc.array(series, { maxLength: 4 }), (all) => {
        const lines = all.map(({ metric, labels: others, points }) => {
          const values = points.map(({ value }) => (value === null ? 'null' : formatValue(value)));
          const pairs = Object.entries({ __name__: metric, ...others }).map(
            ([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`,
          );
          return `{"metric":{${pairs.join()}},"values":[${values.join()}],"timestamps":[${points.map(({ ts }) => ts).join()}]}`;
        });
        const rows = all.flatMap(({ metric, labels: others, points }) => {
          const kept = Object.entries(others)
            .filter(([, value]) => value !== '')
            .sort(([a], [b]) => compareUtf8(a, b));
          const json = kept.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`).join();
          return points.map(
            ({ value, ts }) => `${metric}{${json}} ${value === null ? 'stale' : Object.is(value, -0) ? '-0' : value} @${ts}`,
          );
        });
        expect(rowsOf(decode(lines.join('\n')))).toEqual(rows);
      }),
      { numRuns: 500 },
    );
  });
});

function formatValue(value: number): string {
  if (Object.is(value, -0)) return '-0';
  return Number.isFinite(value) ? String(value) : `"${String(value).replace('Infinity', 'Inf')}"`;
}
