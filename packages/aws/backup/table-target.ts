import {
  CreateTableCommand,
  DescribeTableCommand,
  type DynamoDBClient,
  ScanCommand,
  TagResourceCommand,
  UntagResourceCommand,
  UpdateTableCommand,
  type UpdateTableCommandInput,
  UpdateTimeToLiveCommand,
} from '@aws-sdk/client-dynamodb';
import { callAws } from '#aws/call.ts';
import { isOpsError, OpsError } from '#core/errors.ts';
import { defaultRetry, type RetryOptions } from '#core/retry.ts';
import type { Clock } from '#core/time.ts';
import type { BackupTarget, RestoredItem } from '#ports/backup-target.ts';
import { decodeChange } from './change-stream.ts';
import { splitLines } from './item-lines.ts';
import { createPacer } from './pacer.ts';
import { definitionIn, isRestoring, planTags, restoringTags } from './restoring-tags.ts';
import { callOn, describeTable, keyNames, parseDefinition, type TableDefinition, type TableDeps } from './table-definition.ts';
import { type ItemWrite, type WriteItemsDeps, writeItems } from './write-items.ts';

export interface TableTargetOptions {
  readonly client: DynamoDBClient;
  readonly tableName: string;
  readonly clock: Clock;
  readonly retry?: RetryOptions | undefined;
  /** Allows a table that is there: items of the backup replace those with their keys, others stay. Take a backup of it first. */
  readonly inPlace?: boolean | undefined;
  /** Write units a second at most. Default: no limit. */
  readonly writeUnitsPerSecond?: number | undefined;
  /** Batches under way. Default 4. */
  readonly parallel?: number | undefined;
  /** Leaves out what a copy for a drill does not need: streams, deletion protection. Default false. */
  readonly plain?: boolean | undefined;
  /** The key of KMS in place of the one that it had, for another account, region or a key that DynamoDB manages; `null`: DynamoDB's own. */
  readonly kmsKeyArn?: string | null | undefined;
  /** How long a table or index may take to become active. Default 15 min. */
  readonly activeWithinMs?: number | undefined;
}

const POLL_MS = 1_000;
const BUFFERED_WRITES = 1_000;

/**
 * A new DynamoDB table as a target. It is made without time to live, secondary indexes that can come later, stream and protection, so that
 * nothing expires and nothing is told while it is filled; `finish` adds them. A restore that ended early goes on in the table that it made:
 * its tags
 * `quarterdeck:restoring/*` hold the definition until it is whole. `conflict` where there is another table of that name.
 * Needs dynamodb:CreateTable, DescribeTable, DescribeTimeToLive, ListTagsOfResource, TagResource, UntagResource, UpdateTable,
 * UpdateTimeToLive, BatchWriteItem, Scan.
 */
export function openTableTarget(options: TableTargetOptions): BackupTarget {
  const { tableName } = options;
  const retry = options.retry ?? { ...defaultRetry, attempts: 10, maxDelayMs: 10_000 };
  const deps: WriteItemsDeps = {
    ...options,
    retry,
    parallel: options.parallel ?? 4,
    pacer: createPacer({ clock: options.clock, sleep: retry.sleep }, options.writeUnitsPerSecond),
  };
  const run: TargetRun = { deps, options };
  let definition: TableDefinition | undefined;
  let expected: number | undefined;
  return {
    type: 'dynamodb',
    name: `dynamodb:${tableName}`,
    async plan() {
      const found = await findTable(deps);
      // Never `keep`: the definition is needed at the end, and that items are the same only reading them would tell.
      return found === 'none' ? 'create' : 'replace';
    },
    async write(item) {
      if (item.kind === 'table') {
        definition = parseDefinition(item.meta);
        const isNew = await prepareTable(run, definition);
        // What an earlier run wrote is not counted.
        expected = isNew ? 0 : undefined;
        return;
      }
      const count = await writePart(deps, item);
      // Changes put and delete: only with items alone is it known how many there will be.
      expected = item.kind === 'items' && expected !== undefined ? expected + count : undefined;
    },
    async finish() {
      const known = definition ?? (await definitionKept(run));
      return known === undefined ? [] : await finishTable(run, known, expected);
    },
  };
}

/** Whether there is no table of that name; one that a restore left unfinished may be of another snapshot. */
export async function isFreshTable(deps: TableDeps): Promise<boolean> {
  return (await findTable(deps)) === 'none';
}

interface TargetRun {
  readonly deps: WriteItemsDeps;
  readonly options: TableTargetOptions;
}

/** What an earlier run was to restore. */
async function definitionKept({ deps }: TargetRun): Promise<TableDefinition | undefined> {
  try {
    return definitionIn((await describeTable(deps)).definition.tags);
  } catch (error) {
    // No table could be made, which was told when it was tried.
    if (isOpsError(error, 'missing') || isOpsError(error, 'input')) return undefined;
    throw error;
  }
}

async function findTable(deps: TableDeps): Promise<'none' | 'ours' | 'other'> {
  try {
    const { definition } = await describeTable(deps);
    return isRestoring(definition.tags) ? 'ours' : 'other';
  } catch (error) {
    if (isOpsError(error, 'missing')) return 'none';
    throw error;
  }
}

/** True if the table was made just now. */
async function prepareTable(run: TargetRun, definition: TableDefinition): Promise<boolean> {
  const { deps, options } = run;
  const found = await findTable(deps);
  if (found === 'other' && options.inPlace !== true) {
    throw new OpsError('conflict', `table "${deps.tableName}" is there already`, {
      hint: 'Restore beside it under another name, or say that it may be written in place.',
    });
  }
  if (found === 'none') await createTable(run, definition);
  await waitUntilActive(run);
  assertSameKeys(deps.tableName, (await describeTable(deps)).definition, definition);
  return found === 'none';
}

async function createTable({ deps, options }: TargetRun, definition: TableDefinition): Promise<void> {
  const kmsKeyArn = options.kmsKeyArn === undefined ? definition.kmsKeyArn : options.kmsKeyArn;
  const { attributeDefinitions, keySchema, localIndexes } = definition;
  // What an index to come needs is declared with it.
  const declared = new Set([keySchema, ...localIndexes.map(({ KeySchema }) => KeySchema)].flat().map(({ AttributeName }) => AttributeName));
  const command = new CreateTableCommand({
    TableName: deps.tableName,
    KeySchema: keySchema,
    AttributeDefinitions: attributeDefinitions.filter(({ AttributeName }) => declared.has(AttributeName)),
    BillingMode: definition.billingMode,
    ...(definition.billingMode === 'PROVISIONED' && { ProvisionedThroughput: definition.throughput }),
    ...(localIndexes.length > 0 && { LocalSecondaryIndexes: localIndexes }),
    ...(definition.tableClass && { TableClass: definition.tableClass }),
    ...(kmsKeyArn && { SSESpecification: { Enabled: true, SSEType: 'KMS', KMSMasterKeyId: kmsKeyArn } }),
    Tags: restoringTags(definition),
  });
  // A lost answer's repeat meets the table that it made.
  await callAws(callOn(deps, 'dynamodb:CreateTable'), () => deps.client.send(command)).catch((error: unknown) => {
    if (!isOpsError(error, 'conflict')) throw error;
  });
}

async function tableIsActive(deps: WriteItemsDeps): Promise<boolean> {
  const { TableStatus, GlobalSecondaryIndexes = [] } = await describeRaw(deps);
  return TableStatus === 'ACTIVE' && GlobalSecondaryIndexes.every(({ IndexStatus }) => IndexStatus === 'ACTIVE');
}

async function describeRaw(deps: WriteItemsDeps) {
  const command = new DescribeTableCommand({ TableName: deps.tableName });
  const { Table = {} } = await callAws(callOn(deps, 'dynamodb:DescribeTable'), () => deps.client.send(command));
  return Table;
}

async function waitUntilActive({ deps, options }: TargetRun): Promise<void> {
  const { clock, activeWithinMs = 15 * 60_000 } = options;
  for (const deadlineMs = clock() + activeWithinMs; ; ) {
    const isActive = await tableIsActive(deps);
    if (isActive) return;
    if (clock() > deadlineMs)
      throw new OpsError('unavailable', `table "${deps.tableName}" is not active after ${activeWithinMs / 1_000} s`);
    await (deps.retry ?? defaultRetry).sleep(POLL_MS);
  }
}

function assertSameKeys(tableName: string, there: TableDefinition, wanted: TableDefinition): void {
  const typesOf = (definition: TableDefinition) =>
    keyNames(definition).map((name) => [
      name,
      definition.attributeDefinitions.find(({ AttributeName }) => AttributeName === name)?.AttributeType,
    ]);
  if (JSON.stringify(typesOf(there)) === JSON.stringify(typesOf(wanted))) return;
  throw new OpsError('conflict', `table "${tableName}" has other keys than the backup`, { hint: 'Restore into a new table.' });
}

async function writePart(deps: WriteItemsDeps, item: RestoredItem): Promise<number> {
  if (item.kind !== 'items' && item.kind !== 'changes') throw new OpsError('input', `a table takes no ${item.kind} (${item.path})`);
  let writes: ItemWrite[] = [];
  let count = 0;
  const flush = async () => {
    await writeItems(deps, writes);
    count += writes.length;
    writes = [];
  };
  const toWrite = item.kind === 'items' ? (line: string) => ({ item: line }) : changeToWrite;
  for await (const line of splitLines(item.content ?? nothing())) {
    if (writes.push(toWrite(line)) >= BUFFERED_WRITES) await flush();
  }
  await flush();
  const said = item.meta.count;
  if (typeof said === 'number' && said !== count) {
    throw new OpsError('input', `${item.path} has ${count} lines, and ${said} were written when it was made`);
  }
  return count;
}

/** A part of changes has each key once. */
function changeToWrite(line: string): ItemWrite {
  const { key, item } = decodeChange(line);
  return item === undefined ? { deleteKey: key } : { item };
}

async function* nothing(): AsyncGenerator<Uint8Array> {}

async function finishTable(run: TargetRun, definition: TableDefinition, expected: number | undefined) {
  const { deps } = run;
  const faults: { path: string; message: string }[] = [];
  const attempt = async (path: string, step: () => Promise<unknown>) => {
    try {
      await step();
    } catch (error) {
      if (!isOpsError(error)) throw error;
      faults.push({ path, message: error.message });
    }
  };
  // A table that was there before keeps its own settings.
  if ((await findTable(deps)) === 'ours') {
    if (expected !== undefined) await attempt('items', () => verifyCount(deps, expected));
    await attempt('definition/indexes', () => addIndexes(run, definition));
    await attempt('definition/settings', () => applySettings(run, definition));
    if (faults.length === 0) await attempt('definition/tags', () => applyTags(deps, definition));
  }
  return faults;
}

async function verifyCount(deps: WriteItemsDeps, expected: number): Promise<void> {
  let count = 0;
  for (let ExclusiveStartKey: Record<string, never> | undefined; ; ) {
    const command = new ScanCommand({ TableName: deps.tableName, Select: 'COUNT', ConsistentRead: true, ExclusiveStartKey });
    const page = await callAws(callOn(deps, 'dynamodb:Scan'), () => deps.client.send(command));
    count += page.Count ?? 0;
    if (page.LastEvaluatedKey === undefined) break;
    ExclusiveStartKey = page.LastEvaluatedKey as Record<string, never>;
  }
  if (count !== expected) throw new OpsError('conflict', `table "${deps.tableName}" has ${count} items, ${expected} were restored`);
}

/** One at a time, as DynamoDB has it. */
async function addIndexes(run: TargetRun, definition: TableDefinition): Promise<void> {
  const { deps } = run;
  const there = new Set((await describeTable(deps)).definition.globalIndexes.map(({ IndexName }) => IndexName));
  for (const { IndexName, KeySchema, Projection, ProvisionedThroughput } of definition.globalIndexes) {
    if (there.has(IndexName)) continue;
    const Create = { IndexName, KeySchema, Projection, ...(ProvisionedThroughput && { ProvisionedThroughput }) };
    await update(run, { AttributeDefinitions: definition.attributeDefinitions, GlobalSecondaryIndexUpdates: [{ Create }] });
  }
}

async function applySettings(run: TargetRun, definition: TableDefinition): Promise<void> {
  const { deps, options } = run;
  const there = (await describeTable(deps)).definition;
  const AttributeName = definition.timeToLiveAttribute;
  if (AttributeName !== undefined && there.timeToLiveAttribute !== AttributeName) {
    const command = new UpdateTimeToLiveCommand({ TableName: deps.tableName, TimeToLiveSpecification: { Enabled: true, AttributeName } });
    await callAws(callOn(deps, 'dynamodb:UpdateTimeToLive'), () => deps.client.send(command));
  }
  if (options.plain) return;
  const StreamViewType = definition.streamViewType;
  if (StreamViewType !== undefined && there.streamViewType === undefined) {
    await update(run, { StreamSpecification: { StreamEnabled: true, StreamViewType } });
  }
  if (definition.deletionProtection && !there.deletionProtection) await update(run, { DeletionProtectionEnabled: true });
}

async function update(run: TargetRun, change: Omit<UpdateTableCommandInput, 'TableName'>): Promise<void> {
  const { deps } = run;
  const command = new UpdateTableCommand({ TableName: deps.tableName, ...change });
  await callAws({ ...callOn(deps, 'dynamodb:UpdateTable'), repeat: 'refused' }, () => deps.client.send(command));
  await waitUntilActive(run);
}

async function applyTags(deps: WriteItemsDeps, definition: TableDefinition): Promise<void> {
  const { TableArn: ResourceArn } = await describeRaw(deps);
  const { TagKeys, Tags } = planTags(definition, (await describeTable(deps)).definition.tags);
  if (Tags.length > 0) {
    const command = new TagResourceCommand({ ResourceArn, Tags });
    await callAws(callOn(deps, 'dynamodb:TagResource'), () => deps.client.send(command));
  }
  // Last: until then the restore can go on.
  const command = new UntagResourceCommand({ ResourceArn, TagKeys });
  await callAws(callOn(deps, 'dynamodb:UntagResource'), () => deps.client.send(command));
}
