import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isOpsError, OpsError } from '#core/errors.ts';
import { decodeInflux, type InfluxOptions } from '#ingest/influx.ts';
import { findInfluxProblem, type InfluxPrecision, influxErrorBody, parseInfluxPrecision } from '#ingest/influx-protocol.ts';
import type { RejectedLine } from '#ingest/line-run.ts';
import { bytes, NOW_MS, rowsOf, testContext } from './decoded-rows.ts';

const decode = (text: string, options: Partial<InfluxOptions> = {}) =>
  decodeInflux(bytes(text), testContext(), { precision: 'ns', ...options });

describe('decodeInflux', () => {
  it.each([
    ['a field', 'cpu usage=1.5 1465839830100400200', ['cpu_usage{} 1.5 @1465839830100']],
    ['tags', 'cpu,host=a,region=eu usage=1 1000000', ['cpu_usage{"host":"a","region":"eu"} 1 @1']],
    ['a field called value', 'cpu value=1 1000000', ['cpu{} 1 @1']],
    [
      'several fields',
      'cpu,h=a user=1,sys=-2.5e3,value=3. 2000000',
      ['cpu_user{"h":"a"} 1 @2', 'cpu_sys{"h":"a"} -2500 @2', 'cpu{"h":"a"} 3 @2'],
    ],
    [
      'integers and unsigned ones',
      'm a=-12i,b=7u,c=18446744073709551615u',
      [`m_a{} -12 @${NOW_MS}`, `m_b{} 7 @${NOW_MS}`, `m_c{} 18446744073709552000 @${NOW_MS}`],
    ],
    ['booleans', 'm a=t,b=True,c=F,d=FALSE 0', ['m_a{} 1 @0', 'm_b{} 1 @0', 'm_c{} 0 @0', 'm_d{} 0 @0']],
    ['text fields among others', 'm a="x y,z=1 \\" \\\\",b=2 0', ['m_b{} 2 @0']],
    ['text fields alone', 'm a="x"', []],
    ['escapes', 'my\\ meas\\,ure,ta\\=g\\ 1=va\\,l\\ ue\\=\\x fi\\ el\\=d=1 0', ['my_meas_ure_fi_el_d{"ta_g_1":"va,l ue=\\\\x"} 1 @0']],
    ['a backslash that stands for itself before an escaped comma', 'm,t=a\\\\,b f=1 0', ['m_f{"t":"a\\\\,b"} 1 @0']],
    ['names that PromQL would not take', '1-m,2.t=v f-x=1 0', ['_1_m_f_x{"_2_t":"v"} 1 @0']],
    ['comments, blank lines, blanks around', '# c\n\n  m,t=v  f=1   1000000  \r\n', ['m_f{"t":"v"} 1 @1']],
    ['a time before 1970', 'm f=1 -1500000', ['m_f{} 1 @-1']],
    ['a time under a millisecond', 'm f=1 999999\nm f=2 5', ['m_f{} 1 @0', 'm_f{} 2 @0']],
    ['nanoseconds next to a millisecond', 'm f=1 1700000000123000000', ['m_f{} 1 @1700000000123']],
  ])('reads %s', (_, text, rows) => {
    expect(rowsOf(decode(text))).toEqual(rows);
  });

  it('keeps names where it is told to', () => {
    expect(rowsOf(decode('1-m,2.t=v f-x=1 0', { keepUtf8Names: true }))).toEqual(['1-m_f-x{"2.t":"v"} 1 @0']);
  });

  it.each<[InfluxPrecision, number]>([
    ['us', 1_700_000],
    ['ms', 1_700_000_000],
    ['s', 1_700_000_000_000],
    ['m', 102_000_000_000_000],
    ['h', 6_120_000_000_000_000],
  ])('takes timestamps in %s', (precision, ts) => {
    expect(rowsOf(decode('m f=1 1700000000', { precision }))).toEqual([`m_f{} 1 @${ts}`]);
  });

  it.each([
    ['a point without fields', 'ok f=1\ncpu,host=a', 'line 2, column 11: expected fields behind the measurement and tags'],
    ['a point without measurement', ',host=a f=1', 'line 1, column 1: expected a measurement'],
    ['a tag without value', 'cpu,host= f=1', 'line 1, column 10: a tag has no value'],
    ['a tag without key', 'cpu,=a f=1', 'line 1, column 5: a tag has no key'],
    ['a tag that is none', 'cpu,host f=1', 'line 1, column 5: expected a tag as key=value'],
    ['an "=" in a tag value', 'cpu,host=a=b f=1', 'line 1, column 11: an "=" in a tag value must be escaped'],
    ['a field without value', 'cpu f= 1', 'line 1, column 7: a field has no value'],
    ['a field without key', 'cpu =1', 'line 1, column 5: a field has no key'],
    ['a field that is none', 'cpu f', 'line 1, column 5: expected a field as key=value'],
    [
      'a word as value',
      'cpu f=yes',
      'line 1, column 7: "yes" is not a field value; accepted are numbers (1.5, 1i, 1u), true and false, and text',
    ],
    ['NaN', 'cpu f=NaN', '"NaN" is not a field value'],
    ['infinity', 'cpu f=+Inf', '"+Inf" is not a field value'],
    ['an integer with a fraction', 'cpu f=1.5i', '"1.5i" is not a field value'],
    ['an integer past int64', 'cpu f=19223372036854775808i', 'is not a field value'],
    ['a negative unsigned integer', 'cpu f=-1u', '"-1u" is not a field value'],
    ['quotes left open', 'cpu a=1,f="x', 'line 1, column 11: the quotes opened here are not closed'],
    ['more behind the quotes', 'cpu f="x"y', 'line 1, column 10: expected "," or a space behind a field, found "y"'],
    [
      'a timestamp with a fraction',
      'cpu f=1 1.5',
      'line 1, column 9: expected a timestamp as a whole number, or the end of the line, found "1.5"',
    ],
    [
      'more behind the timestamp',
      'cpu f=1 1 2',
      'line 1, column 9: expected a timestamp as a whole number, or the end of the line, found "1 2"',
    ],
  ])('refuses %s', (_, text, message) => {
    expect(() => decode(text)).toThrow(message);
  });

  it('counts text fields, which are no error', () => {
    const decoded = decode('m a="x",b="y" 0\nm a="z",c=1 0');
    expect(decoded.rejections).toEqual([
      { reason: 'text-field', message: 'line 1: a field of text is not a metric and was left out', count: 3 },
    ]);
    expect(findInfluxProblem(decoded.rejections)).toBeUndefined();
    expect(decode('m a="x"').stampedAtReceipt).toBe(false);
    expect(decode('m a=1').stampedAtReceipt).toBe(true);
  });

  it('rejects 10^5 tags, colliding tags and far times, and keeps the rest', () => {
    const tags = Array.from({ length: 1e5 }, (_, i) => `t${i}=v`).join();
    const decoded = decode(`m,${tags} a=1,b=2 0\nm,x-y=1,x_y=2 a=1 0\nm a=1 9223372036854775807\nm a=1,b=2 9223372036854775807\n`, {
      precision: 's',
    });
    expect(rowsOf(decoded)).toEqual([]);
    expect(decoded.rejections.map(({ reason, count }) => `${reason} ${count}`)).toEqual([
      'label-limit 2',
      'duplicate-label 1',
      'timestamp-out-of-range 3',
    ]);
  });

  it('leaves bad lines out whole where it is told to', () => {
    const rejected: RejectedLine[] = [];
    const decoded = decode('m a=1 0\nm a=2,b=x 0\nm a=3 0', { onBadLine: 'reject', onRejectedLine: (line) => rejected.push(line) });
    expect(rowsOf(decoded)).toEqual(['m_a{} 1 @0', 'm_a{} 3 @0']);
    expect(rejected.map(({ line, column }) => [line, column])).toEqual([[2, 9]]);
    expect(findInfluxProblem(decoded.rejections)).toMatchObject({ kind: 'input', dropped: 1 });
  });

  it.each([
    ['tags', 'm,'.concat('t='.repeat(1e5))],
    ['fields left open', `m ${'a="'.repeat(1e5)}`],
    ['backslashes', '\\'.repeat(2e5)],
    ['commas', ','.repeat(2e5)],
  ])('takes linear time over long lines of %s', (_, line) => {
    expect(rowsOf(decode(`${line}\n`.repeat(10), { onBadLine: 'reject' }))).toEqual([]);
  });

  it('answers any bytes with samples or an input error', () => {
    const piece = fc.constantFrom('m', ',', '=', ' ', '\\', '"', '1', 'i', 't', '\n', '#', 'a=1', ',t=v', '-', '\r', '\u00e9');
    const text = fc.array(piece, { maxLength: 40 }).map((pieces) => bytes(pieces.join('')));
    fc.assert(
      fc.property(fc.oneof(text, fc.uint8Array({ maxLength: 60 })), (body) => {
        const kept = decodeInflux(body, testContext(), { precision: 'ns', onBadLine: 'reject' });
        try {
          expect(rowsOf(decodeInflux(body, testContext(), { precision: 'ns' }))).toEqual(rowsOf(kept));
        } catch (error) {
          if (!isOpsError(error, 'input')) throw error;
        }
      }),
      { numRuns: 1000 },
    );
  });

  it('reads back what is written', () => {
    const name = fc
      .string({ unit: fc.constantFrom('a', 'b', ' ', ',', '=', '_', '\u00e9'), minLength: 1, maxLength: 6 })
      .filter((text) => !text.startsWith(' '));
    const value = fc.oneof(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.integer());
    const escaped = (text: string) => text.replace(/[,= ]/g, '\\$&');
    const point = fc.record({
      measurement: name,
      tag: name,
      field: name.filter((text) => text !== 'value'),
      value,
      ts: fc.maxSafeInteger(),
    });
    fc.assert(
      fc.property(point, ({ measurement, tag, field, value: number, ts }) => {
        const line = `${measurement.replace(/[, ]/g, '\\$&')},${escaped(tag)}=${escaped(tag)} ${escaped(field)}=${Object.is(number, -0) ? '-0' : number} ${ts}`;
        const rows = rowsOf(decode(line, { precision: 'ms', keepUtf8Names: true }));
        expect(rows).toEqual([
          `${measurement}_${field}{${JSON.stringify(tag)}:${JSON.stringify(tag)}} ${Object.is(number, -0) ? '-0' : number} @${ts}`,
        ]);
      }),
    );
  });
});

describe('parseInfluxPrecision', () => {
  it('knows the units of either version and nanoseconds by default', () => {
    expect(['n', 'ns', 'u', 'us', '\u00b5', 'ms', 's', 'm', 'h'].map((unit) => parseInfluxPrecision(1, unit)).join()).toBe(
      'ns,ns,us,us,us,ms,s,m,h',
    );
    expect(parseInfluxPrecision(2, undefined)).toBe('ns');
    expect(() => parseInfluxPrecision(2, 'h')).toThrow('precision "h" is not known; accepted are ns, us, ms, s');
    expect(() => parseInfluxPrecision(1, 'toString')).toThrow('is not known');
  });
});

describe('influxErrorBody', () => {
  it('has the form of either version', () => {
    const error = new OpsError('input', 'line 1, column 5: a tag has no key');
    expect(influxErrorBody(1, error)).toEqual({ error: 'line 1, column 5: a tag has no key' });
    expect(influxErrorBody(2, error)).toEqual({ code: 'invalid', message: 'line 1, column 5: a tag has no key' });
    expect(influxErrorBody(1, { kind: 'input', message: 'line 2: x', dropped: 3 })).toEqual({
      error: 'partial write: line 2: x dropped=3',
    });
    expect(influxErrorBody(2, { kind: 'limit', message: 'too much' })).toEqual({ code: 'request too large', message: 'too much' });
    expect(influxErrorBody(2, { kind: 'unavailable', message: 'later' })).toEqual({ code: 'unavailable', message: 'later' });
  });
});
