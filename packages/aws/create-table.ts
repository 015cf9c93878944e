import {
  CreateTableCommand,
  DescribeTableCommand,
  DescribeTimeToLiveCommand,
  type DynamoDBClient,
  UpdateTimeToLiveCommand,
} from '@aws-sdk/client-dynamodb';
import { isOpsError, OpsError } from '#core/errors.ts';
import { defaultRetry } from '#core/retry.ts';
import { type CallOptions, callAws } from './call.ts';

const POLLS = 120;
const POLL_MS = 500;

/**
 * Makes the table that createDynamoTable works on, where it is not there yet: for tests and for stand-ins. On demand, TTL on
 * `expiresAtS`, no point-in-time recovery: a deployment declares its table, with recovery, in its stack.
 */
export async function createTable(
  client: DynamoDBClient,
  tableName: string,
  /** Default true; false for a copy that is to stay as it is. */
  { expires = true }: { readonly expires?: boolean } = {},
): Promise<void> {
  const on = (operation: string): CallOptions => ({ operation, resource: `table "${tableName}"`, repeat: 'always' });
  const isNew = await callAws(on('dynamodb:CreateTable'), () => client.send(new CreateTableCommand(tableOf(tableName)))).then(
    () => true,
    (error) => {
      if (isOpsError(error, 'conflict')) return false;
      throw error;
    },
  );
  await waitUntilActive(client, tableName, on('dynamodb:DescribeTable'));
  if (!expires || (!isNew && (await hasTimeToLive(client, tableName, on('dynamodb:DescribeTimeToLive'))))) return;
  const TimeToLiveSpecification = { Enabled: true, AttributeName: 'expiresAtS' };
  await callAws(on('dynamodb:UpdateTimeToLive'), () =>
    client.send(new UpdateTimeToLiveCommand({ TableName: tableName, TimeToLiveSpecification })),
  );
}

function tableOf(TableName: string) {
  return {
    TableName,
    BillingMode: 'PAY_PER_REQUEST' as const,
    AttributeDefinitions: [
      { AttributeName: 'pk', AttributeType: 'S' as const },
      { AttributeName: 'sk', AttributeType: 'S' as const },
    ],
    KeySchema: [
      { AttributeName: 'pk', KeyType: 'HASH' as const },
      { AttributeName: 'sk', KeyType: 'RANGE' as const },
    ],
  };
}

async function waitUntilActive(client: DynamoDBClient, TableName: string, options: CallOptions): Promise<void> {
  for (let poll = 0; poll < POLLS; poll++) {
    const { Table } = await callAws(options, () => client.send(new DescribeTableCommand({ TableName })));
    if (Table?.TableStatus === 'ACTIVE') return;
    await defaultRetry.sleep(POLL_MS);
  }
  throw new OpsError('unavailable', `table "${TableName}" is not active after ${(POLLS * POLL_MS) / 1_000} s`);
}

async function hasTimeToLive(client: DynamoDBClient, TableName: string, options: CallOptions): Promise<boolean> {
  const { TimeToLiveDescription } = await callAws(options, () => client.send(new DescribeTimeToLiveCommand({ TableName })));
  return TimeToLiveDescription?.TimeToLiveStatus === 'ENABLED' || TimeToLiveDescription?.TimeToLiveStatus === 'ENABLING';
}
