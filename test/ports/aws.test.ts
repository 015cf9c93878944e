import { randomUUID } from 'node:crypto';
import { beforeAll, describe } from 'vitest';
import { createDynamoClient, createEventBridgeClient, createS3Client } from '#aws/clients.ts';
import { createBucket } from '#aws/create-bucket.ts';
import { createTable } from '#aws/create-table.ts';
import { createDynamoTable } from '#aws/dynamo-table.ts';
import { createEventBus } from '#aws/event-bus.ts';
import { createS3Blobs } from '#aws/s3-blobs.ts';
import { defaultRetry } from '#core/retry.ts';
import { dynamoAbsence, startDynamoServer } from '#test/aws/dynamodb-server.ts';
import { startEventsServer } from '#test/aws/events-server.ts';
import { S3_START_MS, s3Absence, s3Credentials, s3Endpoint } from '#test/aws/s3-server.ts';
import { blobsContract } from './blobs.contract.ts';
import { busContract } from './bus.contract.ts';
import { tableContract } from './table.contract.ts';

// What AWS_ENDPOINT_URL names is tested in place of the stand-ins.
const foreign = process.env.AWS_ENDPOINT_URL;
const region = 'us-east-1';

function closeAll(clients: readonly { destroy(): void }[]): void {
  for (const client of clients) client.destroy();
}

describe.skipIf(foreign === undefined && dynamoAbsence !== undefined)(
  `DynamoDB over the wire${dynamoAbsence ? ` (${dynamoAbsence})` : ''}`,
  () => {
    tableContract('DynamoDB', async () => {
      const server = foreign === undefined ? await startDynamoServer() : undefined;
      const access = server && { endpoint: server.endpoint, region, credentials: s3Credentials };
      const tableName = `quarterdeck-${randomUUID()}`;
      const handles = [createDynamoClient(access ?? {}), createDynamoClient(access ?? {})];
      await createTable(handles[0], tableName);
      const [port, other] = handles.map((client) => createDynamoTable({ client, tableName }));
      return {
        port,
        other,
        async close() {
          closeAll(handles);
          await server?.stop();
        },
      };
    });
  },
);

describe.skipIf(foreign === undefined && s3Absence !== undefined)(`S3 over the wire${s3Absence ? ` (${s3Absence})` : ''}`, () => {
  beforeAll(async () => {
    if (foreign === undefined) await s3Endpoint();
  }, S3_START_MS);

  blobsContract('S3', async () => {
    const access = foreign === undefined ? { endpoint: await s3Endpoint(), region, credentials: s3Credentials } : { pathStyle: true };
    const bucket = `quarterdeck-${randomUUID()}`;
    const handles = [createS3Client(access), createS3Client(access)];
    await createBucket(handles[0], bucket);
    const [port, other] = handles.map((client) => createS3Blobs({ client, bucket }));
    return { port, other, close: async () => closeAll(handles) };
  });
});

describe('EventBridge over the wire', () => {
  busContract('EventBridge', async () => {
    const server = await startEventsServer();
    const client = createEventBridgeClient({ endpoint: server.endpoint, region, credentials: s3Credentials });
    const retry = { ...defaultRetry, baseDelayMs: 1 };
    return {
      port: createEventBus({ client, busName: 'quarterdeck', retry }),
      received: async () => server.received.filter((event) => event.source.startsWith('quarterdeck.')),
      refuseSome() {
        const next = server.requests.length;
        server.refuse((entry, request) => (request === next && entry % 3 === 0 ? 'ThrottlingException' : undefined));
      },
      refuseAlways: (on) => server.refuse((entry) => (on && entry === 0 ? 'InternalFailure' : undefined)),
      async close() {
        client.destroy();
        await server.stop();
      },
    };
  });
});
