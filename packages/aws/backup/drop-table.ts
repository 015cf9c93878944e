import { DeleteTableCommand, DescribeTableCommand, type DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { callAws } from '#aws/call.ts';
import { isOpsError } from '#core/errors.ts';

/** Whether there is a table of that name. Needs dynamodb:DescribeTable. */
export async function hasTable(client: DynamoDBClient, tableName: string): Promise<boolean> {
  const options = { operation: 'dynamodb:DescribeTable', resource: `table "${tableName}"`, repeat: 'always' } as const;
  return isThere(callAws(options, () => client.send(new DescribeTableCommand({ TableName: tableName }))));
}

/** Deletes a table; one that is not there is deleted. Needs dynamodb:DeleteTable. */
export async function dropTable(client: DynamoDBClient, tableName: string): Promise<void> {
  const options = { operation: 'dynamodb:DeleteTable', resource: `table "${tableName}"`, repeat: 'always' } as const;
  await isThere(callAws(options, () => client.send(new DeleteTableCommand({ TableName: tableName }))));
}

async function isThere(call: Promise<unknown>): Promise<boolean> {
  try {
    await call;
    return true;
  } catch (error) {
    if (isOpsError(error, 'missing')) return false;
    throw error;
  }
}
