import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isOpsError, OpsError } from '#core/errors.ts';
import type { Decoded } from '#ingest/decoded.ts';
import { decodePrometheusText } from '#ingest/exposition.ts';
import { decodeFirehose, firehoseAnswer } from '#ingest/firehose.ts';
import { DELTA } from '#model/samples.ts';
import { bytes, rowsOf, testContext } from './decoded-rows.ts';

/** Stands for the OTLP decoder: its messages are Prometheus text in which a line must end in a timestamp. */
function testFirehoseContext() {
  const context = testContext();
  const decodeOtlp = (message: Uint8Array): Decoded => {
    if (message[0] === 0xff) throw new OpsError('input', 'not a message');
    return decodePrometheusText(message, context);
  };
  return { ...context, decodeOtlp };
}

const delivery = (...records: Uint8Array[]) =>
  bytes(
    JSON.stringify({ requestId: 'r-1', timestamp: 1, records: records.map((data) => ({ data: Buffer.from(data).toString('base64') })) }),
  );
const decode = (...records: Uint8Array[]) => decodeFirehose(delivery(...records), testFirehoseContext()).decoded;
const deltasOf = ({ batch }: Decoded) => Array.from(batch.flags, (flags) => flags & DELTA);

const line = {
  metric_stream_name: 's',
  account_id: '123',
  region: 'us-east-1',
  namespace: 'AWS/EC2',
  metric_name: 'DiskWriteOps',
  dimensions: { InstanceId: 'i-1' },
  timestamp: 1611929698000,
  value: { count: 3, sum: 20, max: 18, min: 0, 'p99.9': 17.5, TM99: 4 },
  unit: 'Bytes',
};
const json = (...lines: unknown[]) =>
  bytes(`${lines.map((each) => (typeof each === 'string' ? each : JSON.stringify(each))).join('\n')}\n`);

function message(text: string): Uint8Array {
  const body = bytes(text);
  const prefix = body.length < 128 ? [body.length] : [(body.length & 0x7f) | 0x80, body.length >> 7];
  return Uint8Array.from([...prefix, ...body]);
}

describe('decodeFirehose', () => {
  it('reads the JSON format of CloudWatch metric streams', () => {
    const decoded = decode(
      json(line),
      json({ ...line, metric_name: 'CPU %', unit: 'None', dimensions: { region: 'x', 'a b': 'c' }, value: { max: 1 } }),
    );
    const labels = '{"InstanceId":"i-1","account_id":"123","region":"us-east-1"}';
    const name = 'amazonaws_com_AWS_EC2_DiskWriteOps';
    expect(rowsOf(decoded)).toEqual([
      `${name}_count${labels} 3 @1611929698000`,
      `${name}_sum${labels} 20 @1611929698000`,
      `${name}_max${labels} 18 @1611929698000`,
      `${name}_min${labels} 0 @1611929698000`,
      `${name}${labels.replace(',"region"', ',"quantile":"0.999","region"')} 17.5 @1611929698000`,
      `${name}_TM99${labels} 4 @1611929698000`,
      'amazonaws_com_AWS_EC2_CPU___max{"a_b":"c","account_id":"123","dimension_region":"x","region":"us-east-1"} 1 @1611929698000',
    ]);
    expect(deltasOf(decoded)).toEqual([DELTA, DELTA, 0, 0, 0, 0, 0]);
    expect(decoded.metadata).toEqual([
      { metric: name, type: 'summary', help: '', unit: 'Bytes' },
      { metric: 'amazonaws_com_AWS_EC2_CPU__', type: 'summary', help: '', unit: '' },
    ]);
  });

  it('hands each message of an OpenTelemetry record to the decoder and marks totals of a period', () => {
    const long = `c{x="${'y'.repeat(200)}"} 1 1`;
    const text = `amazonaws_com_AWS_X_Y_sum 1 1\namazonaws_com_AWS_X_Y{quantile="1"} 2 1\n{"amazonaws.com/AWS/X/Z_count"} 3 1`;
    const decoded = decode(Buffer.concat([message(text), message(long)]), message('x_sum 1 1'));
    expect(decoded.batch.series.map(({ metric }) => metric)).toEqual([
      'amazonaws_com_AWS_X_Y_sum',
      'amazonaws_com_AWS_X_Y',
      'amazonaws.com/AWS/X/Z_count',
      'c',
      'x_sum',
    ]);
    expect(deltasOf(decoded)).toEqual([DELTA, 0, DELTA, 0, 0]);
  });

  it('tells a message of 123 bytes from JSON', () => {
    const text = `\n${'#'.repeat(113)}\na 1 1\n\n\n`;
    expect(bytes(text).length).toBe(123);
    expect(rowsOf(decode(message(text)))).toEqual(['a{} 1 @1']);
  });

  it('loses nothing else to a bad record, message or line', () => {
    const decoded = decode(
      bytes('hello'),
      json(line, '{', { ...line, value: { sum: 'x' } }, { ...line, timestamp: 1e300 }, { ...line, value: { sum: 5 } }),
      Buffer.concat([message('a 1 1'), Uint8Array.of(1, 0xff), message('b 1 1'), Uint8Array.of(0xff, 0xff)]),
      message('# TYPE'),
    );
    expect(rowsOf(decoded).map((row) => row.replace(/\{.*/, ''))).toHaveLength(9);
    expect(decoded.rejections).toEqual([
      { reason: 'malformed-record', message: expect.stringMatching(/^record 1: byte 0 is neither JSON nor/), count: 3 },
      { reason: 'malformed-line', message: expect.stringMatching(/^record 2: line 2, column 1: not valid JSON/), count: 3 },
    ]);
  });

  it('counts a record that is not base64', () => {
    const body = bytes('{"requestId":"r","records":[{"data":"%%%"}]}');
    expect(decodeFirehose(body, testFirehoseContext()).decoded.rejections).toEqual([
      { reason: 'malformed-record', message: 'record 1: data is not base64', count: 1 },
    ]);
  });

  it.each([
    ['what is not JSON', 'x', 'the body of a Firehose delivery must be JSON'],
    ['a body without request id', '{"records":[]}', 'not a Firehose delivery: requestId'],
    ['records that are none', '{"requestId":"r","records":[1]}', 'not a Firehose delivery: records.0'],
  ])('refuses %s', (_, text, words) => {
    expect(() => decodeFirehose(bytes(text), testFirehoseContext())).toThrow(words);
  });

  it('answers any body and any record with samples, rejections or an input error', () => {
    const record = fc.oneof(
      fc.uint8Array({ maxLength: 40 }),
      fc.json().map(bytes),
      fc.record({ ...Object.fromEntries(Object.keys(line).map((key) => [key, fc.jsonValue()])) }).map((each) => json(each)),
    );
    const body = fc.oneof(
      fc.uint8Array({ maxLength: 40 }),
      fc.json().map(bytes),
      fc.array(record, { maxLength: 3 }).map((records) => delivery(...records)),
    );
    fc.assert(
      fc.property(body, (input) => {
        try {
          decodeFirehose(input, testFirehoseContext());
        } catch (error) {
          if (!isOpsError(error, 'input')) throw error;
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe('firehoseAnswer', () => {
  it('carries the request id, and a message where something failed', () => {
    expect(firehoseAnswer('r', 5)).toEqual({ requestId: 'r', timestamp: 5 });
    expect(firehoseAnswer('r', 5, 'x'.repeat(9000)).errorMessage?.length).toBe(2000);
  });
});
