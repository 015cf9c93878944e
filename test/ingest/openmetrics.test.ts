import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isOpsError } from '#core/errors.ts';
import { decodeOpenMetrics, isOpenMetrics } from '#ingest/openmetrics.ts';
import { corpus } from '#test/corpora.ts';
import { bytes, NOW_MS, rowsOf, testContext } from './decoded-rows.ts';

const decode = (text: string) => decodeOpenMetrics(bytes(text), testContext());

const path = corpus('openmetrics');
describe.skipIf(!path)('the OpenMetrics parser cases', () => {
  const root = join(path ?? '', 'parsers');
  const cases = path ? readdirSync(root).sort() : [];
  it('are all here', () => expect(cases.length).toBe(211));
  for (const name of cases) {
    const { shouldParse, file } = JSON.parse(readFileSync(join(root, name, 'test.json'), 'utf8'));
    it(`${name} ${shouldParse ? 'parses' : 'is refused'}`, () => {
      const body = readFileSync(join(root, name, file));
      if (shouldParse) return void decodeOpenMetrics(body, testContext());
      try {
        decodeOpenMetrics(body, testContext());
      } catch (error) {
        if (!isOpsError(error, 'input')) throw error;
        expect(error.message).toMatch(/^line \d+, column \d+: /);
        return;
      }
      expect.unreachable('it was taken');
    });
  }
});

describe('decodeOpenMetrics', () => {
  it('takes timestamps in seconds and the time of receipt where there is none', () => {
    const decoded = decode('a 1 1.001\nb -2.5\nc NaN 1700000000.5\n# EOF\n');
    expect(rowsOf(decoded)).toEqual(['a{} 1 @1001', `b{} -2.5 @${NOW_MS}`, 'c{} NaN @1700000000500']);
    expect(decoded.stampedAtReceipt).toBe(true);
  });

  it('gives the _created line to the samples that grow from it and makes no series of it', () => {
    const text = `# TYPE a counter
a_total{x="1"} 3
a_created{x="1"} 100.25
a_total{x="2"} 4
# TYPE h histogram
h_bucket{le="1"} 1
h_bucket{le="+Inf"} 2
h_count 2
h_sum 3
h_created 7
# TYPE s summary
s{quantile="0.5"} 1
s_sum 9
s_created 8
# EOF
`;
    expect(rowsOf(decode(text))).toEqual([
      `a_total{"x":"1"} 3 @${NOW_MS} from 100250`,
      `a_total{"x":"2"} 4 @${NOW_MS}`,
      `h_bucket{"le":"1"} 1 @${NOW_MS} from 7000`,
      `h_bucket{"le":"+Inf"} 2 @${NOW_MS} from 7000`,
      `h_count{} 2 @${NOW_MS} from 7000`,
      `h_sum{} 3 @${NOW_MS} from 7000`,
      `s{"quantile":"0.5"} 1 @${NOW_MS}`,
      `s_sum{} 9 @${NOW_MS} from 8000`,
    ]);
  });

  it('counts exemplars, keeps metadata and takes names in quotes', () => {
    const text = `# TYPE c counter
# HELP c Said "so\\n
# TYPE "my.gauge_s" gauge
# UNIT "my.gauge_s" s
{"my.gauge_s","a.b"="c"} 1
# TYPE d counter
d_total 1 # {trace_id="x"} 1 12.5
# EOF`;
    const decoded = decode(text.replace('Said "so\\n', 'Said \\"so\\n'));
    expect(decoded.exemplars).toBe(1);
    expect(rowsOf(decoded)).toEqual([`my.gauge_s{"a.b":"c"} 1 @${NOW_MS}`, `d_total{} 1 @${NOW_MS}`]);
    expect(decoded.metadata).toEqual([
      { metric: 'c_total', type: 'counter', help: 'Said "so\n', unit: '' },
      { metric: 'my.gauge_s', type: 'gauge', help: '', unit: 's' },
      { metric: 'd_total', type: 'counter', help: '', unit: '' },
    ]);
  });

  it('rejects single samples for limits, times out of range and repetition', () => {
    const labels = Array.from({ length: 70 }, (_, i) => `l${i}="v"`).join();
    const decoded = decode(`a{${labels}} 1\nb 1 1e300\nc 1 5\nc 2 5\n# EOF\n`);
    expect(rowsOf(decoded)).toEqual(['c{} 1 @5000']);
    expect(decoded.rejections.map(({ reason, count }) => `${reason} ${count}`)).toEqual([
      'label-limit 1',
      'timestamp-out-of-range 1',
      'duplicate-sample 1',
    ]);
    expect(decoded.rejections[0]?.message).toContain('line 1');
  });

  it.each([
    ['an interleaved family', 'a 1\nb 1\na 2\n# EOF\n', 'line 3, column 1: a belongs to a family that has ended'],
    ['a carriage return', 'a 1\r\n# EOF\n', 'line 1, column 3: expected a value, found "1\\r"'],
    ['bytes that are not UTF-8', 'a 1\nb{x="\xff"} 1\n# EOF\n', 'line 2, column 1: the line is not valid UTF-8'],
    ['an empty body', '', 'line 1, column 1: the text must end in a line "# EOF"'],
    [
      'a histogram without its +Inf bucket',
      '# TYPE h histogram\nh_bucket{le="1"} 1\n# EOF\n',
      'line 3, column 1: a histogram of family h has no bucket',
    ],
  ])('refuses %s', (_, text, message) => {
    const body = Uint8Array.from(text, (char) => char.charCodeAt(0));
    expect(() => decodeOpenMetrics(body, testContext())).toThrow(message);
  });

  it('answers any bytes with samples or an input error', () => {
    const line = fc.constantFrom(
      '# TYPE a counter',
      'a_total 1',
      'a_created 5',
      'a_total{x="1"} 2 3 # {t="1"} 1',
      '# EOF',
      '# HELP a b',
      '',
      'b{le="1"',
      '\u00e9',
    );
    const text = fc.oneof(
      fc.array(line, { maxLength: 8 }).map((lines) => lines.join('\n')),
      fc.string({ unit: 'binary' }),
    );
    const body = fc.oneof(text.map(bytes), fc.uint8Array({ maxLength: 60 }));
    fc.assert(
      fc.property(body, (input) => {
        try {
          decodeOpenMetrics(input, testContext());
        } catch (error) {
          if (!isOpsError(error, 'input')) throw error;
        }
      }),
      { numRuns: 500 },
    );
  });

  it('is told by the content type', () => {
    expect(isOpenMetrics('Application/OpenMetrics-text; version=1.0.0; charset=utf-8')).toBe(true);
    expect(isOpenMetrics('text/plain; version=0.0.4')).toBe(false);
    expect(isOpenMetrics(undefined)).toBe(false);
  });
});
