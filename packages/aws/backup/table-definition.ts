import { createHash } from 'node:crypto';
import {
  DescribeTableCommand,
  DescribeTimeToLiveCommand,
  type DynamoDBClient,
  ListTagsOfResourceCommand,
  type TableDescription,
  type Tag,
} from '@aws-sdk/client-dynamodb';
import * as z from 'zod';
import { callAws } from '#aws/call.ts';
import { isOpsError, OpsError } from '#core/errors.ts';
import type { RetryOptions } from '#core/retry.ts';

const KeySchema = z.array(z.object({ AttributeName: z.string(), KeyType: z.enum(['HASH', 'RANGE']) })).min(1);
const Projection = z.object({
  ProjectionType: z.enum(['ALL', 'KEYS_ONLY', 'INCLUDE']),
  NonKeyAttributes: z.array(z.string()).optional(),
});
const Throughput = z.object({ ReadCapacityUnits: z.number(), WriteCapacityUnits: z.number() });
const Index = z.object({ IndexName: z.string(), KeySchema, Projection });

/** All of a table but its items, in DynamoDB's own terms: what is needed to create it again. */
export const TableDefinition = z.object({
  keySchema: KeySchema,
  attributeDefinitions: z.array(z.object({ AttributeName: z.string(), AttributeType: z.enum(['S', 'N', 'B']) })).min(1),
  billingMode: z.enum(['PAY_PER_REQUEST', 'PROVISIONED']),
  throughput: Throughput.optional(),
  globalIndexes: z.array(Index.extend({ ProvisionedThroughput: Throughput.optional() })).default([]),
  localIndexes: z.array(Index).default([]),
  streamViewType: z.enum(['KEYS_ONLY', 'NEW_IMAGE', 'OLD_IMAGE', 'NEW_AND_OLD_IMAGES']).optional(),
  tableClass: z.enum(['STANDARD', 'STANDARD_INFREQUENT_ACCESS']).optional(),
  /** The ARN of the key it is encrypted with; absent where that is DynamoDB's own. */
  kmsKeyArn: z.string().optional(),
  deletionProtection: z.boolean().default(false),
  timeToLiveAttribute: z.string().optional(),
  tags: z.record(z.string(), z.string()).default({}),
});
export type TableDefinition = z.infer<typeof TableDefinition>;

/** A table as it stands: its definition, and what tells one life of it from another. */
export interface DescribedTable {
  readonly tableId: string;
  readonly status: string;
  readonly sizeBytes: number;
  readonly streamArn?: string | undefined;
  readonly definition: TableDefinition;
}

export interface TableDeps {
  readonly client: DynamoDBClient;
  readonly tableName: string;
  readonly retry?: RetryOptions | undefined;
}

/** Reads a table's definition: `dynamodb:DescribeTable`, `DescribeTimeToLive`, `ListTagsOfResource`. `missing` where there is no such table. */
export async function describeTable(deps: TableDeps): Promise<DescribedTable> {
  const table = await describeOnly(deps);
  const timeToLive = await callAws(callOn(deps, 'dynamodb:DescribeTimeToLive'), () =>
    deps.client.send(new DescribeTimeToLiveCommand({ TableName: deps.tableName })),
  );
  const { TimeToLiveStatus: status, AttributeName } = timeToLive.TimeToLiveDescription ?? {};
  const timeToLiveAttribute = status === 'ENABLED' || status === 'ENABLING' ? AttributeName : undefined;
  const tags = await listTags(deps, table.TableArn ?? '');
  return toDescribed(table, { timeToLiveAttribute, tags });
}

/** The part of a table that must not change while it is read: one call. `missing` where there is no such table. */
async function describeShape(deps: TableDeps): Promise<{ tableId: string; shape: string; status: string }> {
  const { tableId, definition, streamArn, status } = toDescribed(await describeOnly(deps), { tags: {} });
  return { tableId, shape: shapeOf(definition, streamArn), status };
}

/** A short name for keys, indexes and stream: two definitions with one shape take the same items. */
export function shapeOf(definition: TableDefinition, streamArn: string | undefined): string {
  const { keySchema, attributeDefinitions, globalIndexes, localIndexes } = definition;
  const indexes = [...globalIndexes, ...localIndexes].map(({ IndexName, KeySchema, Projection }) => [IndexName, KeySchema, Projection]);
  const parts = JSON.stringify([keySchema, attributeDefinitions, indexes, streamArn]);
  return createHash('sha256').update(parts).digest('hex').slice(0, 16);
}

/** Names of the attributes of a table's key, the partition key first. */
export function keyNames({ keySchema }: Pick<TableDefinition, 'keySchema'>): string[] {
  return [...keySchema].sort((a, b) => a.KeyType.localeCompare(b.KeyType)).map(({ AttributeName }) => AttributeName);
}

/** The definition in an entry's `meta`; `input` where that is none. */
export function parseDefinition(meta: unknown): TableDefinition {
  const parsed = TableDefinition.safeParse(meta);
  if (parsed.success) return parsed.data;
  throw new OpsError('input', `this is no definition of a table: ${z.prettifyError(parsed.error)}`);
}

/** How a call on the table is named in errors; calls here may all be repeated. */
export function callOn(deps: Pick<TableDeps, 'tableName' | 'retry'>, operation: string) {
  return { operation, resource: `table "${deps.tableName}"`, repeat: 'always', retry: deps.retry } as const;
}

async function describeOnly(deps: TableDeps): Promise<TableDescription> {
  const options = callOn(deps, 'dynamodb:DescribeTable');
  const { Table } = await callAws(options, () => deps.client.send(new DescribeTableCommand({ TableName: deps.tableName })));
  if (Table === undefined) throw new OpsError('unavailable', `${options.resource}: the answer has no table`);
  return Table;
}

async function listTags(deps: TableDeps, ResourceArn: string): Promise<Record<string, string>> {
  const tags: Tag[] = [];
  for (let NextToken: string | undefined; ; ) {
    const page = await callAws(callOn(deps, 'dynamodb:ListTagsOfResource'), () =>
      deps.client.send(new ListTagsOfResourceCommand({ ResourceArn, NextToken })),
    );
    tags.push(...(page.Tags ?? []));
    if (page.NextToken === undefined) break;
    NextToken = page.NextToken;
  }
  // AWS's own tags cannot be set by others.
  const own = tags.filter(({ Key = '' }) => !Key.startsWith('aws:'));
  return Object.fromEntries(own.map(({ Key = '', Value = '' }) => [Key, Value]));
}

function toDescribed(table: TableDescription, extra: Partial<TableDefinition>): DescribedTable {
  const billingMode = table.BillingModeSummary?.BillingMode ?? 'PROVISIONED';
  const isProvisioned = billingMode === 'PROVISIONED';
  const definition = parseDefinition({
    keySchema: table.KeySchema,
    attributeDefinitions: [...(table.AttributeDefinitions ?? [])].sort(byName(({ AttributeName }) => AttributeName)),
    billingMode,
    throughput: isProvisioned ? table.ProvisionedThroughput : undefined,
    globalIndexes: [...(table.GlobalSecondaryIndexes ?? [])]
      .filter(({ IndexStatus }) => IndexStatus !== 'DELETING')
      .sort(byName(({ IndexName }) => IndexName))
      .map((index) => ({ ...index, ProvisionedThroughput: isProvisioned ? index.ProvisionedThroughput : undefined })),
    localIndexes: [...(table.LocalSecondaryIndexes ?? [])].sort(byName(({ IndexName }) => IndexName)),
    streamViewType: table.StreamSpecification?.StreamEnabled ? table.StreamSpecification.StreamViewType : undefined,
    tableClass: table.TableClassSummary?.TableClass,
    kmsKeyArn: table.SSEDescription?.SSEType === 'KMS' ? table.SSEDescription.KMSMasterKeyArn : undefined,
    deletionProtection: table.DeletionProtectionEnabled ?? false,
    ...extra,
  });
  return {
    tableId: table.TableId ?? `${table.TableArn}@${table.CreationDateTime?.getTime()}`,
    status: table.TableStatus ?? 'UNKNOWN',
    sizeBytes: table.TableSizeBytes ?? 0,
    streamArn: table.StreamSpecification?.StreamEnabled ? table.LatestStreamArn : undefined,
    definition,
  };
}

function byName<T>(nameOf: (value: T) => string | undefined): (a: T, b: T) => number {
  return (a, b) => ((nameOf(a) ?? '') < (nameOf(b) ?? '') ? -1 : 1);
}

/** Fails with `conflict` unless the table is the one, and of the shape, that the backup began with. */
export async function assertSameTable(deps: TableDeps, begun: { tableId: string; shape: string }): Promise<void> {
  const now = await describeShape(deps).catch((error: unknown) => {
    if (isOpsError(error, 'missing')) throw goneWhileRead(deps.tableName, error);
    throw error;
  });
  if (now.status === 'DELETING' || now.tableId !== begun.tableId) throw goneWhileRead(deps.tableName);
  if (now.shape !== begun.shape) {
    throw new OpsError('conflict', `table "${deps.tableName}" changed its keys, indexes or stream while it was read`, {
      hint: 'What was read belongs to no one definition. Start the backup again.',
    });
  }
}

/** The `conflict` of a table that was deleted under a backup. */
export function goneWhileRead(tableName: string, cause?: unknown): OpsError {
  return new OpsError('conflict', `table "${tableName}" was deleted while it was read`, {
    cause,
    hint: 'The backup is incomplete and must not be kept as one of this table.',
  });
}
