import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { RetryOptions } from '#core/retry.ts';
import type { CallOptions } from './call.ts';

/** What every operation on the table needs. */
export interface DynamoDeps {
  readonly client: DynamoDBClient;
  readonly tableName: string;
  readonly retry?: RetryOptions | undefined;
}

/** How a call on this table is named in errors, and when it is repeated. */
export function callOn(deps: DynamoDeps, operation: string, repeat: CallOptions['repeat']): CallOptions {
  return { operation, resource: `table "${deps.tableName}"`, repeat, retry: deps.retry };
}
