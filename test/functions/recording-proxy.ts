import { createServer, request as forward, type IncomingMessage } from 'node:http';

/** The name that the table of all functions has at the stand-in. */
export const SHARED_TABLE = 'quarterdeck';

/** One thing that a call did, in the terms of IAM. */
export interface Access {
  readonly action: string;
  /** An object's key, or a partition of the table; '' for the bucket or bus itself. */
  readonly target: string;
  /** Bucket, table or bus. */
  readonly resource: string;
}

export interface RecordingProxy {
  readonly endpoint: string;
  stop(): Promise<void>;
}

/**
 * Passes requests on to a stand-in, unchanged, and tells what each of them needs to be allowed. Objects that may not be deleted are answered as
 * S3 answers: one by one, in an answer that is no failure itself.
 */
export async function startRecordingProxy(target: string, onAccess: (access: Access) => 'denied' | undefined): Promise<RecordingProxy> {
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks);
    const denied = readAccesses(request, body.toString()).filter((access) => onAccess(access) === 'denied');
    if (denied.length > 0) {
      const errors = denied.map((access) => `<Error><Key>${access.target}</Key><Code>AccessDenied</Code><Message>no</Message></Error>`);
      response.setHeader('content-type', 'application/xml');
      return response.end(`<DeleteResult>${errors.join('')}</DeleteResult>`);
    }
    const { method, url, headers } = request;
    const passed = forward(new URL(url ?? '/', target), { method, headers, setHost: false }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    passed.on('error', () => response.destroy());
    passed.end(body);
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  return {
    endpoint: `http://127.0.0.1:${(server.address() as { port: number }).port}`,
    async stop() {
      server.closeAllConnections();
      server.close();
    },
  };
}

function readAccesses(request: IncomingMessage, body: string): Access[] {
  const [service, operation] = String(request.headers['x-amz-target'] ?? '').split('.');
  if (service.startsWith('DynamoDB')) return readTableAccesses(operation, JSON.parse(body));
  if (service === 'AWSEvents') return [{ action: `events:${operation}`, resource: 'Bus', target: '' }];
  return readObjectAccesses(request, body);
}

interface TableRequest {
  readonly TableName?: string;
  readonly ResourceArn?: string;
  readonly Key?: Key;
  readonly Item?: Key;
  readonly ExpressionAttributeValues?: Readonly<Record<string, { readonly S?: string }>>;
  readonly TransactItems?: readonly Readonly<Record<string, TableRequest>>[];
  readonly RequestItems?: Readonly<Record<string, readonly Readonly<Record<string, TableRequest>>[]>>;
}

interface Key {
  readonly pk?: { readonly S: string };
}

/** The one table that the functions share is called as in the stacks, any other by its ARN. */
function tableOf(name: string | undefined): string {
  return name === undefined || name === SHARED_TABLE ? 'Table' : `arn:aws:dynamodb:eu-west-1:123456789012:table/${name}`;
}

/** A transaction needs what each of its writes would need; a batch has an action of its own. */
function readTableAccesses(operation: string, request: TableRequest): Access[] {
  const of = (name: string, { Key, Item, TableName, ResourceArn }: TableRequest): Access => ({
    action: `dynamodb:${name}`,
    resource: tableOf(TableName ?? ResourceArn?.split(':table/')[1]),
    target: (Key ?? Item)?.pk?.S ?? '',
  });
  if (operation === 'TransactWriteItems') {
    const names: Readonly<Record<string, string>> = {
      Put: 'PutItem',
      Update: 'UpdateItem',
      Delete: 'DeleteItem',
      ConditionCheck: 'ConditionCheckItem',
    };
    return (request.TransactItems ?? []).flatMap((item) => Object.entries(item).map(([kind, write]) => of(names[kind], write)));
  }
  if (operation === 'BatchWriteItem') {
    return Object.entries(request.RequestItems ?? {}).flatMap(([TableName, writes]) =>
      writes.flatMap((item) => Object.values(item).map((write) => of(operation, { ...write, TableName }))),
    );
  }
  if (operation === 'Query') {
    const partitions = Object.values(request.ExpressionAttributeValues ?? {}).flatMap(({ S }) => S ?? []);
    return [{ action: 'dynamodb:Query', resource: tableOf(request.TableName), target: partitions[0] ?? '' }];
  }
  return [of(operation, request)];
}

const BUCKET_PARTS = { versions: 's3:ListBucketVersions', versioning: 's3:GetBucketVersioning' };
const OBJECT_PARTS = { tagging: 'ObjectTagging', retention: 'ObjectRetention' };

/** Path-style requests of S3. */
function readObjectAccesses({ method = '', url = '' }: IncomingMessage, body: string): Access[] {
  const { pathname, searchParams } = new URL(url, 'http://s3');
  const [, bucket, ...rest] = pathname.split('/');
  const target = decodeURIComponent(rest.join('/'));
  if (searchParams.has('list-type')) return [{ action: 's3:ListBucket', resource: bucket, target: searchParams.get('prefix') ?? '' }];
  for (const [part, name] of Object.entries(BUCKET_PARTS))
    if (searchParams.has(part)) return [{ action: name, resource: bucket, target: '' }];
  for (const [part, name] of Object.entries(OBJECT_PARTS)) {
    if (searchParams.has(part)) return [{ action: `s3:${method === 'GET' ? 'Get' : 'Put'}${name}`, resource: bucket, target }];
  }
  if (searchParams.has('delete')) {
    return Array.from(body.matchAll(/<Key>([^<]*)<\/Key>/g), ([, key]) => ({ action: 's3:DeleteObject', resource: bucket, target: key }));
  }
  const actions: Readonly<Record<string, string>> = {
    GET: 's3:GetObject',
    HEAD: 's3:GetObject',
    PUT: 's3:PutObject',
    DELETE: 's3:DeleteObject',
  };
  return [{ action: actions[method] ?? `s3:${method}`, resource: bucket, target }];
}
