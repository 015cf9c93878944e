import { NOW } from './whole-api.ts';

/** A Firehose delivery of lines of a CloudWatch metric stream, a record each. */
export function delivery(...lines: object[]): Uint8Array {
  const records = lines.map((line) => ({ data: Buffer.from(JSON.stringify(line)).toString('base64') }));
  return Buffer.from(JSON.stringify({ requestId: 'r', timestamp: NOW, records }));
}
