import { describe, expect, it } from 'vitest';
import { firehoseRoutes } from '#api/ingest/firehose.ts';
import { OpsError } from '#core/errors.ts';
import { encodeOtlp } from '#test/ingest/otlp-writer.ts';
import { createIngestApp, type IngestAppOptions } from './ingest-app.ts';

const T = 1_700_000_000_000;
const appWith = (options: Partial<IngestAppOptions> = {}) => createIngestApp(firehoseRoutes, { now: () => T, ...options });
const post = (app: ReturnType<typeof appWith>, body: string, headers: Record<string, string> = {}) =>
  app.request('/firehose', {
    method: 'POST',
    body,
    headers: { 'x-amz-firehose-request-id': 'r-1', 'content-type': 'application/json', ...headers },
  });

/** A record as a metric stream in the OpenTelemetry format has it: messages behind their lengths. */
function otlpRecord(): { data: string } {
  const point = {
    tsMs: T,
    count: 4,
    sum: 10,
    quantiles: [
      [0, 1],
      [1, 5],
    ] as const,
    attributes: { Namespace: 'AWS/EC2' },
  };
  const message = encodeOtlp([
    { resource: { 'cloud.provider': 'aws' }, metrics: [{ name: 'amazonaws.com/AWS/EC2/CPUUtilization', summary: [point] }] },
  ]);
  const length = message.length < 128 ? [message.length] : [(message.length & 127) | 128, message.length >> 7];
  return { data: Buffer.concat([Uint8Array.from(length), message]).toString('base64') };
}

describe('POST /firehose', () => {
  it('takes a delivery and answers with its request id', async () => {
    const app = appWith();
    const response = await post(app, JSON.stringify({ requestId: 'r-1', timestamp: T, records: [otlpRecord(), otlpRecord()] }));
    expect([response.status, response.headers.get('content-type'), await response.json()]).toEqual([
      200,
      'application/json',
      { requestId: 'r-1', timestamp: T },
    ]);
    const names = app.appended[0]?.batch.series.map(({ metric }) => metric);
    expect(names).toEqual([
      'amazonaws_com_AWS_EC2_CPUUtilization_count',
      'amazonaws_com_AWS_EC2_CPUUtilization_sum',
      'amazonaws_com_AWS_EC2_CPUUtilization',
      'amazonaws_com_AWS_EC2_CPUUtilization',
    ]);
  });

  it('takes what can be read of a delivery', async () => {
    const app = appWith();
    const response = await post(app, JSON.stringify({ requestId: 'r-1', records: [{ data: 'AAAAAAAA' }, otlpRecord()] }));
    expect([response.status, app.appended.length]).toEqual([200, 1]);
  });

  it.each<[string, number, string, Partial<IngestAppOptions>, RegExp]>([
    ['no JSON', 400, '{', {}, /must be JSON/],
    ['another JSON', 400, '{"records":1}', {}, /not a Firehose delivery/],
    [
      'a store that is away',
      503,
      JSON.stringify({ requestId: 'r-1', records: [otlpRecord()] }),
      { failure: new OpsError('unavailable', 'away') },
      /away/,
    ],
  ])("answers %s in Firehose's form", async (_, status, body, options, message) => {
    const response = await post(appWith(options), body);
    expect([response.status, await response.json()]).toEqual([
      status,
      { requestId: 'r-1', timestamp: T, errorMessage: expect.stringMatching(message) },
    ]);
  });

  it('takes the access key for the token', async () => {
    const app = appWith({ token: 'secret' });
    const body = JSON.stringify({ requestId: 'r-1', records: [otlpRecord()] });
    expect((await post(app, body)).status).toBe(401);
    expect((await post(app, body, { 'x-amz-firehose-access-key': 'secret' })).status).toBe(200);
  });
});
