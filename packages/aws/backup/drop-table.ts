import { DeleteTableCommand, type DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { callAws } from '#aws/call.ts';
import { isOpsError } from '#core/errors.ts';

/** Deletes a table; one that is not there is deleted. Needs dynamodb:DeleteTable. */
export async function dropTable(client: DynamoDBClient, tableName: string): Promise<void> {
  const options = { operation: 'dynamodb:DeleteTable', resource: `table "${tableName}"`, repeat: 'always' } as const;
  try {
    await callAws(options, () => client.send(new DeleteTableCommand({ TableName: tableName })));
  } catch (error) {
    if (!isOpsError(error, 'missing')) throw error;
  }
}
