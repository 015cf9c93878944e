import { randomUUID } from 'node:crypto';
import { createDynamoClient, createS3Client } from '#aws/clients.ts';
import { createBucket } from '#aws/create-bucket.ts';
import { createTable } from '#aws/create-table.ts';
import { createDynamoTable } from '#aws/dynamo-table.ts';
import { createS3Blobs } from '#aws/s3-blobs.ts';
import { subscriptions } from '#functions/subscriptions.ts';
import type { Blobs } from '#ports/blobs.ts';
import { type BusEvent, matchesPattern } from '#ports/bus.ts';
import type { Table } from '#ports/table.ts';
import { dynamoAbsence, startDynamoServer } from '#test/aws/dynamodb-server.ts';
import { startEventsServer } from '#test/aws/events-server.ts';
import { s3Absence, s3Credentials, s3Endpoint } from '#test/aws/s3-server.ts';
import { allows } from '#test/stacks/allows.ts';
import { type Deployed, deploy, ownName } from '#test/stacks/deployed.ts';
import { type BundledLambda, openBundledLambda } from './bundled-lambda.ts';
import { type Access, SHARED_TABLE, startRecordingProxy } from './recording-proxy.ts';
import { arnsOf, attemptOf, componentOf } from './roles.ts';

/** Why a deployment cannot be stood in for on this machine. */
export const absence = s3Absence ?? dynamoAbsence;
const region = 'us-east-1';

/** A deployment over stand-ins of AWS: the functions as bundled, and what they lie on. */
export interface StandIns {
  readonly lambda: BundledLambda;
  readonly events: readonly BusEvent[];
  readonly table: Table;
  readonly blobs: Blobs;
  readonly uploads: Blobs;
  /** Of what the stacks make, by its name there. */
  readonly names: Readonly<Record<string, string>>;
  /** Starts what the events from the given one on start, and what their events start; gives their types. */
  followEvents(from: number): Promise<string[]>;
  /** Functions called so far. */
  called(): string[];
  /** What functions did that their roles do not allow; `named`: what they are given beside by sst.config.ts, by function, on ARNs of its own. */
  findRefused(named?: NamedPermissions): Promise<string[]>;
  /** Makes a bucket that no stack makes. */
  createBucket(name: string): Promise<Blobs>;
  /** Likewise. */
  createTable(name: string): Promise<Table>;
  close(): Promise<void>;
}

/** What an operator names. */
export interface NamedPermissions {
  readonly permissions?:
    | Readonly<Record<string, readonly { effect?: 'deny' | undefined; actions: string[]; resources: string[] }[]>>
    | undefined;
  /** ARNs of buckets by their names here. */
  readonly arns?: Readonly<Record<string, string>> | undefined;
}

/** Starts the stand-ins and sets the environment of a function, once in a process. `deletesNothing`: functions whose deletions of objects are denied. */
export async function openStandIns(
  environment: Readonly<Record<string, string>> = {},
  deletesNothing: readonly string[] = [],
): Promise<StandIns> {
  const dynamo = await startDynamoServer();
  const events = await startEventsServer();
  const accesses: { readonly name: string; readonly access: Access }[] = [];
  let running: string | undefined;
  const record = (access: Access) => {
    if (running === undefined) return undefined;
    if (access.action === 's3:DeleteObject' && deletesNothing.includes(running)) return 'denied' as const;
    accesses.push({ name: running, access });
    return undefined;
  };
  const s3 = await s3Endpoint();
  const proxies = await Promise.all([dynamo.endpoint, s3, events.endpoint].map((target) => startRecordingProxy(target, record)));
  const names = {
    Blobs: `blobs-${randomUUID()}`,
    Uploads: `uploads-${randomUUID()}`,
    Backups: `backups-${randomUUID()}`,
    Table: SHARED_TABLE,
    Bus: 'quarterdeck',
  };
  Object.assign(process.env, {
    AWS_LAMBDA_FUNCTION_NAME: 'quarterdeck-test',
    AWS_REGION: region,
    AWS_ACCESS_KEY_ID: s3Credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: s3Credentials.secretAccessKey,
    AWS_ENDPOINT_URL_DYNAMODB: proxies[0].endpoint,
    AWS_ENDPOINT_URL_S3: proxies[1].endpoint,
    AWS_ENDPOINT_URL_EVENTBRIDGE: proxies[2].endpoint,
    ...Object.fromEntries(Object.entries(names).map(([name, value]) => [`SST_RESOURCE_${name}`, JSON.stringify({ name: value })])),
    ...environment,
  });
  const dynamoClient = createDynamoClient({ region });
  const s3Client = createS3Client({ region });
  await createTable(dynamoClient, names.Table);
  for (const bucket of [names.Blobs, names.Uploads, names.Backups]) await createBucket(s3Client, bucket);
  const lambda = await openBundledLambda((name) => {
    running = name;
  });
  return {
    lambda,
    events: events.received,
    table: createDynamoTable({ client: dynamoClient, tableName: names.Table }),
    blobs: createS3Blobs({ client: s3Client, bucket: names.Blobs }),
    uploads: createS3Blobs({ client: s3Client, bucket: names.Uploads }),
    names,
    followEvents: (from) => followEvents(lambda, events.received, from),
    called: () => [...new Set(accesses.map(({ name }) => name))].sort(),
    findRefused: (named) => findRefused(accesses, names, named),
    async createTable(tableName) {
      await createTable(dynamoClient, tableName);
      return createDynamoTable({ client: dynamoClient, tableName });
    },
    async createBucket(bucket) {
      await createBucket(s3Client, bucket);
      return createS3Blobs({ client: s3Client, bucket });
    },
    async close() {
      await lambda.close();
      for (const { stop } of [...proxies, dynamo, events]) await stop();
      dynamoClient.destroy();
      s3Client.destroy();
    },
  };
}

async function followEvents(lambda: BundledLambda, events: readonly BusEvent[], from: number): Promise<string[]> {
  for (let next = from; next < events.length; next++) {
    const { source, detailType, detail } = events[next];
    const rules = subscriptions.filter(({ pattern }) => matchesPattern(pattern, events[next]));
    for (const rule of rules) await lambda.invoke(rule.function, { source, 'detail-type': detailType, detail });
  }
  return events.slice(from).map(({ detailType }) => detailType);
}

let deploying: Promise<Deployed> | undefined;

function stage(): Promise<Deployed> {
  deploying ??= deploy('test');
  return deploying;
}

async function findRefused(
  accesses: readonly { name: string; access: Access }[],
  names: Readonly<Record<string, string>>,
  { permissions = {}, arns: more = {} }: NamedPermissions = {},
) {
  const deployed = await stage();
  const arns = new Map([...arnsOf(deployed, names), ...Object.entries(more)]);
  const refused = new Set<string>();
  for (const { name, access } of accesses) {
    const named = (permissions[name] ?? []).map(({ effect = 'allow', actions, resources }) => ({
      ...{ of: name, effect: effect === 'deny' ? 'Deny' : 'Allow', actions, resources, principals: [], condition: {} },
    }));
    const role = [...deployed.statements.filter(({ of }) => of === `${componentOf(name)}Role`), ...named];
    if (!allows(role, attemptOf(access, arns))) refused.add(`${name} ${access.action} ${access.target.split('/')[0]}`);
  }
  return [...refused];
}

/** The functions of a deployment, by their names. */
export async function deployedFunctions(): Promise<string[]> {
  const deployed = await stage();
  return deployed
    .all('lambda/function:Function')
    .map((each) => ownName(each.name))
    .sort();
}
