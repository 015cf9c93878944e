import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { DynamoDBStreamsClient } from '@aws-sdk/client-dynamodb-streams';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { S3Client } from '@aws-sdk/client-s3';

/** Where the services are and who asks; what is absent the SDK finds out by itself (region, role, AWS_ENDPOINT_URL). */
export interface ClientOptions {
  readonly region?: string | undefined;
  /** Base URL in place of AWS's own. */
  readonly endpoint?: string | undefined;
  /** Set it for an endpoint that is not AWS: the bucket goes into the path and not into the host. Default: true with `endpoint`. */
  readonly pathStyle?: boolean | undefined;
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string } | undefined;
}

const CONNECT_TIMEOUT_MS = 2_000;
const MAX_SOCKETS = 64;

/** A DynamoDB client that gives up on a request after 10 s. */
export function createDynamoClient(options: ClientOptions): DynamoDBClient {
  return new DynamoDBClient(commonOptions(options, 10_000));
}

/** A client of DynamoDB's streams that gives up on a request after 10 s; the SDK is loaded with it. */
export async function createStreamsClient(options: ClientOptions): Promise<DynamoDBStreamsClient> {
  const { DynamoDBStreamsClient } = await import('@aws-sdk/client-dynamodb-streams');
  return new DynamoDBStreamsClient(commonOptions(options, 10_000));
}

/** An EventBridge client that gives up on a request after 10 s. */
export function createEventBridgeClient(options: ClientOptions): EventBridgeClient {
  return new EventBridgeClient(commonOptions(options, 10_000));
}

/** An S3 client that gives up on a request after 120 s, enough for the largest block over a slow line. */
export function createS3Client(options: ClientOptions): S3Client {
  return new S3Client({
    ...commonOptions(options, 120_000),
    forcePathStyle: options.pathStyle ?? options.endpoint !== undefined,
    // Checksum trailers are refused by other S3 servers; TLS and the signed payload hash guard the bytes on the way.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
  });
}

/**
 * The SDK does not retry here: it would repeat a conditional write after a lost answer, meet that write's own success and
 * report a conflict, or add twice. callAws repeats only what is safe.
 */
export function commonOptions(options: ClientOptions, requestTimeoutMs: number) {
  const agent = { keepAlive: true, maxSockets: MAX_SOCKETS };
  return {
    maxAttempts: 1,
    requestHandler: {
      connectionTimeout: CONNECT_TIMEOUT_MS,
      requestTimeout: requestTimeoutMs,
      throwOnRequestTimeout: true,
      httpAgent: agent,
      httpsAgent: agent,
    },
    ...(options.region === undefined ? {} : { region: options.region }),
    ...(options.endpoint === undefined ? {} : { endpoint: options.endpoint }),
    ...(options.credentials === undefined ? {} : { credentials: options.credentials }),
  };
}
