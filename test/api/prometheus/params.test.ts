import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readForm } from '#api/prometheus/form.ts';
import { readLabelName } from '#api/prometheus/label-name.ts';
import { readInstantParams, readQuery, readRangeParams, readSeriesParams } from '#api/prometheus/params.ts';
import { MAX_TIME_MS, MIN_TIME_MS, parseSpan, parseTime } from '#api/prometheus/parse-time.ts';
import { isOpsError } from '#core/errors.ts';

function form(text: string): URLSearchParams {
  return new URLSearchParams(text);
}

function refusal(read: () => unknown): string {
  try {
    read();
  } catch (error) {
    if (isOpsError(error, 'input')) return error.message;
    throw error;
  }
  return 'accepted';
}

describe('times', () => {
  it.each([
    ['0', 0],
    ['1435781451.781', 1435781451781],
    ['1.0006', 1001],
    ['-1.5', -1500],
    ['1e3', 1_000_000],
    ['.5', 500],
    ['2015-07-01T20:10:51Z', 1435781451000],
    ['2015-07-01T20:10:51.7819Z', 1435781451781],
    ['2015-07-01T22:10:51.781+02:00', 1435781451781],
    ['2015-07-01T12:40:51-07:30', 1435781451000],
    ['0001-01-01T00:00:00Z', -62135596800000],
    ['-292273086-05-16T16:47:06Z', MIN_TIME_MS],
    ['292277025-08-18T07:12:54.999999999Z', MAX_TIME_MS],
  ])('%s is %s ms', (text, timeMs) => {
    expect(parseTime(text)).toBe(timeMs);
  });

  it.each([
    '',
    'x',
    'now',
    'NaN',
    'Inf',
    '1e300',
    '99999999999999999999',
    '2015-02-30T00:00:00Z',
    '2015-07-01',
    '2015-07-01T24:00:00Z',
    '2015-07-01T20:10:51',
  ])('%s is none', (text) => {
    expect(refusal(() => parseTime(text))).toBe(`cannot parse "${text}" to a valid timestamp`);
  });
});

describe('spans', () => {
  it.each([
    ['15', 15_000],
    ['0.0019', 1],
    ['-2', -2000],
    ['1h30m', 5_400_000],
    ['250ms', 250],
  ])('%s is %s ms', (text, ms) => {
    expect(parseSpan(text)).toBe(ms);
  });

  it.each([
    ['', 'cannot parse "" to a valid duration'],
    ['5', 'accepted'],
    ['5 m', 'cannot parse "5 m" to a valid duration'],
    ['1m1h', 'cannot parse "1m1h" to a valid duration'],
    ['NaN', 'cannot parse "NaN" to a valid duration'],
    ['1e30', 'cannot parse "1e30" to a valid duration. It overflows int64'],
  ])('%s: %s', (text, message) => {
    expect(refusal(() => parseSpan(text))).toBe(message);
  });
});

describe('an instant query', () => {
  it('has defaults for all but the query', () => {
    expect(readInstantParams(form('query=up'), 1234)).toMatchObject({
      text: 'up',
      expr: { kind: 'vectorSelector', name: 'up' },
      timeMs: 1234,
      timeoutMs: undefined,
      lookbackMs: undefined,
      limit: 0,
    });
  });

  it('takes each parameter', () => {
    const all = form('query=up&time=1.5&timeout=30s&lookback_delta=1m&limit=%2B5');
    expect(readInstantParams(all, 0)).toMatchObject({ timeMs: 1500, timeoutMs: 30_000, lookbackMs: 60_000, limit: 5 });
    expect(readInstantParams(form('query=up&lookback_delta=-1&timeout=-1'), 0)).toMatchObject({ lookbackMs: undefined, timeoutMs: -1000 });
  });

  it.each([
    ['', 'invalid parameter "query": unknown position: parse error: no expression found in input'],
    ['query=up%20up', 'invalid parameter "query": 1:4: parse error: unexpected identifier "up"'],
    ['query=x&time=x', 'invalid parameter "time": invalid time value for \'time\': cannot parse "x" to a valid timestamp'],
    ['query=x&timeout=x', 'invalid parameter "timeout": cannot parse "x" to a valid duration'],
    ['query=x&lookback_delta=x', 'error parsing lookback delta duration: cannot parse "x" to a valid duration'],
    ['query=x&limit=x', 'invalid parameter "limit": strconv.Atoi: parsing "x": invalid syntax'],
    ['query=x&limit=9999999999999999999', 'invalid parameter "limit": strconv.Atoi: parsing "9999999999999999999": value out of range'],
    ['query=x&limit=-1', 'invalid parameter "limit": limit must be non-negative'],
    ['query=)&time=x', 'invalid parameter "time": invalid time value for \'time\': cannot parse "x" to a valid timestamp'],
  ])('%s is refused: %s', (text, message) => {
    expect(refusal(() => readInstantParams(form(text), 0))).toBe(message);
  });
});

describe('a range query', () => {
  it('has a start, an end and a step', () => {
    expect(readRangeParams(form('query=up&start=10&end=1970-01-01T00:01:00Z&step=15s'))).toMatchObject({
      startMs: 10_000,
      endMs: 60_000,
      stepMs: 15_000,
    });
    expect(readRangeParams(form('query=up&start=0&end=11000.9&step=1'))).toMatchObject({ endMs: 11_000_900 });
  });

  it.each([
    ['query=up', 'invalid parameter "start": cannot parse "" to a valid timestamp'],
    ['start=1', 'invalid parameter "end": cannot parse "" to a valid timestamp'],
    ['start=2&end=1&step=1', 'invalid parameter "end": end timestamp must not be before start time'],
    ['start=1&end=2', 'invalid parameter "step": cannot parse "" to a valid duration'],
    [
      'start=1&end=2&step=0',
      'invalid parameter "step": zero or negative query resolution step widths are not accepted. Try a positive integer',
    ],
    [
      'start=0&end=11001&step=1',
      'exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution (?step=XX)',
    ],
    ['start=1&end=2&step=1&query=%2B', 'invalid parameter "query": 1:2: parse error: unexpected end of input'],
  ])('%s is refused: %s', (text, message) => {
    expect(refusal(() => readRangeParams(form(text)))).toBe(message);
  });
});

describe('series and labels', () => {
  it('mean all of time where no time is given', () => {
    expect(readSeriesParams(form(''), 'labels')).toEqual({ startMs: MIN_TIME_MS, endMs: MAX_TIME_MS, matchers: [], limit: 0 });
    expect(readSeriesParams(form('match[]=up&match[]={a="b"}&start=1&end=2'), 'series')).toEqual({
      startMs: 1000,
      endMs: 2000,
      matchers: [[{ name: '__name__', op: '=', value: 'up' }], [{ name: 'a', op: '=', value: 'b' }]],
      limit: 0,
    });
  });

  it.each([
    ['', 'no match[] parameter provided', 'accepted'],
    [
      'match[]={}',
      'invalid parameter "match[]": match[] must contain at least one non-empty matcher',
      'match[] must contain at least one non-empty matcher',
    ],
    [
      'match[]={a=~".*"}',
      'invalid parameter "match[]": match[] must contain at least one non-empty matcher',
      'match[] must contain at least one non-empty matcher',
    ],
    [
      'match[]=up{',
      'invalid parameter "match[]": 1:4: parse error: unexpected end of input inside braces',
      '1:4: parse error: unexpected end of input inside braces',
    ],
    ['match[]=up&end=x', 'invalid parameter "end": invalid time value for \'end\': cannot parse "x" to a valid timestamp', undefined],
  ])('%s is refused: %s', (text, series, labels = series) => {
    expect(refusal(() => readSeriesParams(form(text), 'series'))).toBe(series);
    expect(refusal(() => readSeriesParams(form(text), 'labels'))).toBe(labels);
  });

  it.each([
    ['job', 'job'],
    ['http.method', 'http.method'],
    ['U__http_2e_method__x', 'http.method_x'],
    ['U__caf_E9_', 'café'],
    ['U__broken_', 'U__broken_'],
    ['U__no_d800_rune', 'U__no_d800_rune'],
  ])('the label name %s is %s', (segment, name) => {
    expect(readLabelName(segment)).toBe(name);
  });

  it('refuses the empty label name', () => {
    expect(refusal(() => readLabelName(''))).toBe('invalid label name: ""');
  });
});

describe('forms', () => {
  const url = 'http://host/api/v1/query?query=a&time=1';
  const posted = { method: 'POST', headers: { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' } };

  it('are read from the address', async () => {
    expect((await readForm(new Request(url))).get('query')).toBe('a');
  });

  it('are read from the body first', async () => {
    const read = await readForm(new Request(url, { ...posted, body: 'query=b%2Bc&match[]=x' }));
    expect([read.get('query'), read.get('time'), read.getAll('match[]')]).toEqual(['b+c', '1', ['x']]);
  });

  it('are not read from a body of another type', async () => {
    const read = await readForm(
      new Request(url, { method: 'POST', body: '{"query":"b"}', headers: { 'content-type': 'application/json' } }),
    );
    expect(read.get('query')).toBe('a');
  });

  it('are refused past 10 MiB and where they are no UTF-8', async () => {
    const large = new Request(url, { ...posted, body: `query=${'a'.repeat(10 * 1024 * 1024)}` });
    await expect(readForm(large)).rejects.toMatchObject({ kind: 'limit' });
    const broken = new Request(url, { ...posted, body: Uint8Array.of(0x61, 0x3d, 0xff) });
    await expect(readForm(broken)).rejects.toMatchObject({ kind: 'input', message: 'error parsing form values: the form is not UTF-8' });
  });
});

describe('anything', () => {
  it('is read or refused as bad input', () => {
    const value = fc.oneof(
      fc.string({ maxLength: 12 }),
      fc.double().map(String),
      fc.constantFrom('5m', '1h', '0', '-1', '1e18', '2015-07-01T20:10:51Z'),
    );
    const names = fc.constantFrom('query', 'time', 'start', 'end', 'step', 'timeout', 'limit', 'lookback_delta', 'match[]');
    fc.assert(
      fc.property(fc.array(fc.tuple(names, value), { maxLength: 8 }), (pairs) => {
        const params = new URLSearchParams(pairs);
        for (const read of [
          () => readInstantParams(params, 0),
          () => readRangeParams(params),
          () => readSeriesParams(params, 'series'),
          () => readQuery(params),
        ]) {
          expect(refusal(read)).toBeTypeOf('string');
        }
      }),
      { numRuns: 1000 },
    );
  });
});
