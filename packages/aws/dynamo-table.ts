import { randomUUID } from 'node:crypto';
import { DeleteItemCommand, GetItemCommand, PutItemCommand, TransactWriteItemsCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { assertTransaction } from '#ports/item-rules.ts';
import type { Item, ItemKey, Table, Write } from '#ports/table.ts';
import { batchWrite } from './batch-write.ts';
import { callAws } from './call.ts';
import { callOn, type DynamoDeps } from './dynamo-deps.ts';
import { writeExpressions } from './expressions.ts';
import { marshalItem, marshalKey, unmarshalItem } from './marshal.ts';
import { queryPage } from './query-page.ts';
import { mapCancellation } from './transaction-errors.ts';

/**
 * The Table port on one DynamoDB table with keys `pk` and `sk` and TTL on `expiresAtS`. Reads are consistent. Conditional
 * writes and updates are repeated only if DynamoDB refused them; plain puts, deletes, reads and transactions (which carry a
 * request token) after any failure that may pass.
 */
export function createDynamoTable(deps: DynamoDeps): Table {
  const { client, tableName: TableName } = deps;
  return {
    async get(key) {
      const input = { TableName, Key: marshalKey(key), ConsistentRead: true };
      const { Item } = await callAws(callOn(deps, 'dynamodb:GetItem', 'always'), () => client.send(new GetItemCommand(input)));
      return Item === undefined ? undefined : unmarshalItem(Item);
    },

    async put(item, condition) {
      const input = { TableName, Item: marshalItem(item), ...writeExpressions(condition) };
      const repeat = condition === undefined ? 'always' : 'refused';
      await callAws(callOn(deps, 'dynamodb:PutItem', repeat), () => client.send(new PutItemCommand(input)));
    },

    async update(key, changes, condition) {
      const input = { TableName, Key: marshalKey(key), ...writeExpressions(condition, changes), ReturnValues: 'ALL_NEW' as const };
      const repeat = condition === undefined && changes.add === undefined ? 'always' : 'refused';
      const { Attributes } = await callAws(callOn(deps, 'dynamodb:UpdateItem', repeat), () => client.send(new UpdateItemCommand(input)));
      return unmarshalItem(Attributes ?? marshalKey(key));
    },

    async delete(key, condition) {
      const input = { TableName, Key: marshalKey(key), ...writeExpressions(condition) };
      const repeat = condition === undefined ? 'always' : 'refused';
      await callAws(callOn(deps, 'dynamodb:DeleteItem', repeat), () => client.send(new DeleteItemCommand(input)));
    },

    query: async (input) => await queryPage(deps, input),
    transact: async (writes) => await transact(deps, writes),
    batch: async (writes) => await batchWrite(deps, writes.map(toBatchRequest)),
  };
}

async function transact(deps: DynamoDeps, writes: readonly Write[]): Promise<void> {
  assertTransaction(writes);
  const TransactItems = writes.filter((write) => !isVacuous(write)).map((write) => toTransactItem(deps.tableName, write));
  if (TransactItems.length === 0) return;
  // The same token on every attempt: DynamoDB answers a repeat of a transaction that took effect as it did the first time.
  const input = { TransactItems, ClientRequestToken: randomUUID() };
  await callAws(callOn(deps, 'dynamodb:TransactWriteItems', 'always'), async () => {
    try {
      await deps.client.send(new TransactWriteItemsCommand(input));
    } catch (error) {
      throw mapCancellation(error, writes, `table "${deps.tableName}"`);
    }
  });
}

/** A check without a clause always holds, and DynamoDB has no way to say it. */
function isVacuous(write: Write): boolean {
  return write.kind === 'check' && writeExpressions(write.condition).ConditionExpression === undefined;
}

function toTransactItem(TableName: string, write: Write) {
  switch (write.kind) {
    case 'put':
      return { Put: { TableName, Item: marshalItem(write.item), ...writeExpressions(write.condition) } };
    case 'delete':
      return { Delete: { TableName, Key: marshalKey(write.key), ...writeExpressions(write.condition) } };
    case 'update': {
      const { UpdateExpression = '', ...expressions } = writeExpressions(write.condition, write.changes);
      return { Update: { TableName, Key: marshalKey(write.key), UpdateExpression, ...expressions } };
    }
    case 'check': {
      const { ConditionExpression, ...expressions } = writeExpressions(write.condition);
      return { ConditionCheck: { TableName, Key: marshalKey(write.key), ConditionExpression, ...expressions } };
    }
  }
}

function toBatchRequest(write: { kind: 'put'; item: Item } | { kind: 'delete'; key: ItemKey }) {
  return write.kind === 'put' ? { PutRequest: { Item: marshalItem(write.item) } } : { DeleteRequest: { Key: marshalKey(write.key) } };
}
