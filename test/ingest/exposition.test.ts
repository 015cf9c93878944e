import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isOpsError } from '#core/errors.ts';
import { compareUtf8 } from '#core/text.ts';
import { decodeExposition, decodePrometheusText } from '#ingest/exposition.ts';
import type { RejectedLine } from '#ingest/line-run.ts';
import { bytes, NOW_MS, rowsOf, testContext } from './decoded-rows.ts';

const decode = (text: string) => decodePrometheusText(bytes(text), testContext());

describe('decodePrometheusText', () => {
  it.each([
    ['a plain sample', 'up 1', [`up{} 1 @${NOW_MS}`]],
    [
      'labels and a timestamp',
      'http_requests_total{method="post",code="200"} 1027 1395066363000',
      ['http_requests_total{"code":"200","method":"post"} 1027 @1395066363000'],
    ],
    ['a timestamp before 1970', 'a 1 -3982045', ['a{} 1 @-3982045']],
    ['blanks wherever they may stand', ' \ta { x = "1" , y="2", }\t3 \t4 ', ['a{"x":"1","y":"2"} 3 @4']],
    ['no blank behind the braces', 'a{x="1"}2', [`a{"x":"1"} 2 @${NOW_MS}`]],
    [
      'escapes in label values',
      'a{path="C:\\\\DIR\\\\",error="say \\"no\\"\\nnow \\z"} 1',
      [`a{"error":"say \\"no\\"\\nnow \\\\z","path":"C:\\\\DIR\\\\"} 1 @${NOW_MS}`],
    ],
    ['braces and hashes in label values', 'a{x="} # {"} 1', [`a{"x":"} # {"} 1 @${NOW_MS}`]],
    ['a name in quotes', '{"my.metric","label.name"="v"} 1', [`my.metric{"label.name":"v"} 1 @${NOW_MS}`]],
    ['a name in quotes behind its labels', '{x="v","my metric"} 1', [`my metric{"x":"v"} 1 @${NOW_MS}`]],
    ['a name as a label', '{__name__="a",x="v"} 1', [`a{"x":"v"} 1 @${NOW_MS}`]],
    ['an absent label', 'a{x=""} 1', [`a{} 1 @${NOW_MS}`]],
    ['comments, blank lines and carriage returns', '# hello\r\n\r\n#\r\n# EOF\r\na 1\r\n', [`a{} 1 @${NOW_MS}`]],
    ['a byte order mark', '\ufeffa 1', [`a{} 1 @${NOW_MS}`]],
    ['nothing', '', []],
  ])('reads %s', (_, text, rows) => {
    expect(rowsOf(decode(text))).toEqual(rows);
  });

  it.each([
    ['NaN', 'NaN'],
    ['nan', 'NaN'],
    ['+Inf', 'Infinity'],
    ['-Inf', '-Infinity'],
    ['infinity', 'Infinity'],
    ['-0', '-0'],
    ['1e3', '1000'],
    ['.5', '0.5'],
    ['5.', '5'],
    ['+1.25E-2', '0.0125'],
    ['0.1', '0.1'],
    ['123456789012345678901234567890', '1.2345678901234568e+29'],
    ['0.30000000000000004', '0.30000000000000004'],
    ['4.9e-324', '5e-324'],
    ['1e-400', '0'],
  ])('reads the value %s', (text, value) => {
    expect(rowsOf(decode(`a ${text}`))).toEqual([`a{} ${value} @${NOW_MS}`]);
  });

  it.each(['0x1p-2', '0x10', '1_000', '1e', '.', '+', '--1', '+NaN', '1e999', '1,5', 'true', '1e5.5', '1d'])(
    'refuses the value %s',
    (text) => {
      expect(() => decode(`a ${text}`)).toThrow(/^line 1, column 3: expected a value, found "/);
    },
  );

  it.each([
    [
      'a name with other characters',
      'ok 1\na-b 1',
      'line 2, column 2: unexpected "-" in a metric name; names with such characters go in quotes',
    ],
    ['a name that begins with a digit', '0a 1', 'line 1, column 1: expected a metric name, found "0"'],
    ['a missing value', 'a{x="1"}', 'line 1, column 9: expected a value, found the end of the line'],
    ['a timestamp with a fraction', 'a 1 1.5', 'line 1, column 5: expected a timestamp in whole milliseconds, found "1.5"'],
    ['more behind the timestamp', 'a 1 1 1', 'line 1, column 7: expected the end of the line, found "1"'],
    ['quotes left open', 'a{x="1} 1\nb 1', 'line 1, column 5: the quotes opened here are not closed on the line'],
    ['an escaped closing quote', 'a{x="1\\"} 1', 'line 1, column 5: the quotes'],
    ['braces left open', 'a{x="1"', 'line 1, column 8: expected "," or "}", found the end of the line'],
    ['a label without value', 'a{x} 1', 'line 1, column 4: expected "=" after label name "x", found "}"'],
    ['a value without quotes', 'a{x=1} 1', 'line 1, column 5: expected the value of label "x" in quotes, found "1"'],
    ['two commas', 'a{x="1",,y="2"} 1', 'line 1, column 9: expected a label name, found ","'],
    ['a label given twice', 'a{x="1",x="2"} 1', 'line 1, column 15: label "x" is given twice'],
    ['a name given twice', 'a{"b"} 1', 'line 1, column 3: the metric name is given twice'],
    ['a name given twice as a label', 'a{__name__="b"} 1', 'the metric name is given twice'],
    ['no name', '{x="1"} 1', 'line 1, column 8: the sample has no metric name'],
    ['an empty name', '{""} 1', 'line 1, column 2: a name is empty'],
    ['a colon in a label name', 'a{x:y="1"} 1', 'line 1, column 4: expected "=" after label name "x", found ":"'],
    ['an unknown type', '# TYPE a meter', 'line 1, column 10: "meter" is not a metric type; accepted are counter, gauge,'],
    ['metadata without a name', '# HELP 1a x', 'line 1, column 8: expected a metric name, found "1"'],
  ])('refuses %s', (_, text, message) => {
    expect(() => decode(text)).toThrow(message);
  });

  it('keeps HELP and TYPE lines', () => {
    const decoded = decode(
      '# HELP a two\\nlines \\\\ "q" \\"\n# TYPE a counter\n#TYPE b untyped\n# HELP "c.d" x\n# HELP e\n# NOTE f gauge\n# TYPE\n',
    );
    expect(decoded.metadata).toEqual([
      { metric: 'a', type: 'counter', help: 'two\nlines \\ "q" \\"', unit: '' },
      { metric: 'b', type: 'unknown', help: '', unit: '' },
      { metric: 'c.d', type: 'unknown', help: 'x', unit: '' },
      { metric: 'e', type: 'unknown', help: '', unit: '' },
    ]);
  });

  it('says whether a sample was stamped at receipt', () => {
    expect(decode('a 1 1').stampedAtReceipt).toBe(false);
    expect(decode('a 1 1\na 1').stampedAtReceipt).toBe(true);
  });

  it('rejects what is over a limit and keeps the rest', () => {
    const decoded = decodePrometheusText(
      bytes(`a{x="123456"} 1 1\na{x="1"} 1 1\na{x="123456"} 2 2\nabcdefghi 1 1\na{x="1",y="1",z="1"} 1 1\na 1 99999999999999999999`),
      testContext({ maxLabels: 2, maxNameBytes: 8, maxValueBytes: 5 }),
    );
    expect(rowsOf(decoded)).toEqual(['a{"x":"1"} 1 @1']);
    expect(decoded.rejections.map(({ reason, count }) => `${reason} ${count}`)).toEqual([
      'value-too-long 2',
      'name-too-long 1',
      'label-limit 1',
      'timestamp-out-of-range 1',
    ]);
    expect(decoded.rejections[0]?.message).toMatch(/^line 1, column 1: /);
  });

  it('rejects 10^5 labels in one line without a stall', () => {
    const labels = Array.from({ length: 1e5 }, (_, i) => `l${i}="v"`).join();
    const line = `a{${labels}} 1\n`;
    const decoded = decode(`${line}b 1\n${line}`);
    expect(rowsOf(decoded)).toEqual([`b{} 1 @${NOW_MS}`]);
    expect(decoded.rejections).toEqual([{ reason: 'label-limit', message: expect.stringContaining('100000 labels'), count: 2 }]);
  });

  it.each([
    ['open quotes', 'a{x="'],
    ['backslashes', `a{x="${'\\'.repeat(1e5)}`],
    ['digits', `a ${'1'.repeat(1e6)}e5x`],
    ['empty lines', '\n'],
    ['blanks', `a${' '.repeat(1e5)}b`],
  ])('takes linear time over many lines of %s', (_, line) => {
    const body = bytes(`${line}\n`.repeat(Math.ceil(1e6 / (line.length + 1))));
    expect(rowsOf(decodePrometheusText(body, testContext(), { onBadLine: 'reject' }))).toEqual([]);
  });

  it('leaves bad lines out where it is told to, and reports each', () => {
    const rejected: RejectedLine[] = [];
    const body = Uint8Array.from('a 1 1\nb{ 1\n\xff 1\nc 1 1\nd x\n', (char) => char.charCodeAt(0));
    const decoded = decodePrometheusText(body, testContext(), {
      onBadLine: 'reject',
      firstLine: 10,
      onRejectedLine: (line) => rejected.push(line),
    });
    expect(rowsOf(decoded)).toEqual(['a{} 1 @1', 'c{} 1 @1']);
    expect(decoded.rejections).toEqual([
      { reason: 'malformed-line', message: 'line 11, column 4: expected a label name, found "1"', count: 3 },
    ]);
    expect(rejected.map(({ line, column }) => [line, column])).toEqual([
      [11, 4],
      [12, 1],
      [14, 3],
    ]);
  });

  it('answers any bytes with samples or an input error', () => {
    const piece = fc.constantFrom(
      'a',
      '{',
      '}',
      '"',
      '\\',
      ',',
      '=',
      ' ',
      '\t',
      '\n',
      '1',
      'e',
      '.',
      '-',
      '# TYPE ',
      '# HELP ',
      'x="y"',
      '\r',
      'NaN',
      '\u00e9',
      '\ud83d\ude00',
    );
    const text = fc.array(piece, { maxLength: 40 }).map((pieces) => bytes(pieces.join('')));
    fc.assert(
      fc.property(fc.oneof(text, fc.uint8Array({ maxLength: 60 })), (body) => {
        const kept = decodePrometheusText(body, testContext(), { onBadLine: 'reject' });
        try {
          expect(rowsOf(decodePrometheusText(body, testContext()))).toEqual(rowsOf(kept));
        } catch (error) {
          if (!isOpsError(error, 'input')) throw error;
          expect(kept.rejections.some(({ reason }) => reason === 'malformed-line')).toBe(true);
        }
      }),
      { numRuns: 1000 },
    );
  });

  it('reads back what is written, in either spelling of names', () => {
    const text = fc.string({
      unit: fc.oneof(fc.constantFrom('"', '\\', '\n', '{', '}', ' ', '#'), fc.string({ unit: 'binary', minLength: 1, maxLength: 1 })),
      maxLength: 12,
    });
    const label = fc.tuple(
      fc.oneof(
        fc.constantFrom('a', 'b_1'),
        text.filter((name) => name !== '' && name !== '__name__'),
      ),
      text,
    );
    const sample = fc.record({
      metric: fc.oneof(
        fc.constantFrom('up', 'a:b_total'),
        text.filter((name) => name !== ''),
      ),
      labels: fc.uniqueArray(label, { selector: ([name]) => name, maxLength: 5 }),
      value: fc.double(),
      ts: fc.option(fc.maxSafeInteger(), { nil: undefined }),
    });
    fc.assert(
      fc.property(fc.array(sample, { maxLength: 6 }), (samples) => {
        const rows = samples.map(({ metric, labels, value, ts = NOW_MS }) => {
          const kept = labels.filter(([, v]) => v !== '').sort(([a], [b]) => compareUtf8(a, b));
          const json = kept.map(([name, v]) => `${JSON.stringify(name)}:${JSON.stringify(v)}`).join();
          return `${metric}{${json}} ${Object.is(value, -0) ? '-0' : value} @${ts}`;
        });
        expect(rowsOf(decode(samples.map(formatSample).join('\n')))).toEqual(rows);
      }),
      { numRuns: 500 },
    );
  });
});

function formatSample({
  metric,
  labels,
  value,
  ts,
}: {
  metric: string;
  labels: [string, string][];
  value: number;
  ts: number | undefined;
}): string {
  const quote = (text: string) => `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`;
  const isBare = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/.test(metric);
  const pairs = labels.map(([name, v]) => `${/^[a-zA-Z_][a-zA-Z0-9_]*$/.test(name) ? name : quote(name)}=${quote(v)}`);
  const series = isBare ? `${metric}{${pairs.join()}}` : `{${[quote(metric), ...pairs].join()}}`;
  const number = Object.is(value, -0) ? '-0' : String(value).replace('Infinity', 'Inf');
  return `${series} ${number}${ts === undefined ? '' : ` ${ts}`}`;
}

describe('decodeExposition', () => {
  it('goes by the content type', () => {
    const body = bytes('a 1 2\n# EOF\n');
    expect(rowsOf(decodeExposition(body, testContext(), { contentType: 'text/plain; version=0.0.4' }))).toEqual(['a{} 1 @2']);
    expect(rowsOf(decodeExposition(body, testContext()))).toEqual(['a{} 1 @2']);
    expect(rowsOf(decodeExposition(body, testContext(), { contentType: 'application/openmetrics-text; version=1.0.0' }))).toEqual([
      'a{} 1 @2000',
    ]);
  });
});
