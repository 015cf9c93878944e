import type { RetryOptions } from '#core/retry.ts';
import type { Clock } from '#core/time.ts';
import type { Blobs } from '#ports/blobs.ts';
import type { Bus } from '#ports/bus.ts';
import type { Table } from '#ports/table.ts';
import type { Uploads } from '#ports/uploads.ts';
import { type ClientOptions, createDynamoClient, createEventBridgeClient, createS3Client } from './clients.ts';
import { createDynamoTable } from './dynamo-table.ts';
import { createEventBus } from './event-bus.ts';
import { createS3Blobs } from './s3-blobs.ts';
import { createS3Uploads } from './s3-uploads.ts';
import { splitBlobs } from './split-blobs.ts';

/** Names of what the stacks made, handed in by whoever read the configuration. */
export interface AwsOptions extends ClientOptions {
  readonly bucket: string;
  /** The bucket of files on their way to an import. Default: `bucket`. */
  readonly uploads?: string | undefined;
  readonly table: string;
  readonly bus: string;
  readonly clock?: Clock | undefined;
  readonly retry?: RetryOptions | undefined;
}

export interface AwsPorts {
  readonly blobs: Blobs;
  readonly uploads: Uploads;
  readonly table: Table;
  readonly bus: Bus;
  /** Closes the connections; calls under way fail. */
  close(): void;
}

/**
 * The ports on AWS. It makes no request: a wrong name shows at the first call. There is no Schedules port here: the standing
 * schedules are part of a deployment, and schedules made at run time need the EventBridge Scheduler client, which this program
 * does not carry (rules of a bus know no `at()`).
 */
export function openAws(options: AwsOptions): AwsPorts {
  const { bucket, uploads = bucket, table: tableName, bus: busName, retry } = options;
  const s3 = createS3Client(options);
  const dynamo = createDynamoClient(options);
  const events = createEventBridgeClient(options);
  return {
    blobs: splitBlobs('imports', createS3Blobs({ client: s3, bucket: uploads, retry }), createS3Blobs({ client: s3, bucket, retry })),
    uploads: createS3Uploads({ client: s3, bucket: uploads, retry, clock: options.clock ?? Date.now }),
    table: createDynamoTable({ client: dynamo, tableName, retry }),
    bus: createEventBus({ client: events, busName, retry }),
    close() {
      for (const client of [s3, dynamo, events]) client.destroy();
    },
  };
}
