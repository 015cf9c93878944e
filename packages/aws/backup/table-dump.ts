import { ScanCommand } from '@aws-sdk/client-dynamodb';
import { callAws } from '#aws/call.ts';
import { callOn, type DynamoDeps } from '#aws/dynamo-deps.ts';
import { unmarshalItem } from '#aws/marshal.ts';
import type { Clock } from '#core/time.ts';
import type { TableDump } from '#ports/table-dump.ts';
import type { Attributes } from './item-lines.ts';

/** The TableDump port on the table of createDynamoTable, by consistent scans: each item as it is when it is scanned. `dynamodb:Scan`. */
export function createDynamoDump(deps: DynamoDeps, clock: Clock): TableDump {
  return {
    async begin() {
      return {
        consistency: 'fuzzy',
        atMs: clock(),
        async *scan() {
          for (let start: Attributes | undefined; ; ) {
            const command = new ScanCommand({ TableName: deps.tableName, ConsistentRead: true, ExclusiveStartKey: start });
            const page = await callAws(callOn(deps, 'dynamodb:Scan', 'always'), () => deps.client.send(command));
            yield* (page.Items ?? []).map(unmarshalItem);
            if (page.LastEvaluatedKey === undefined) return;
            start = page.LastEvaluatedKey;
          }
        },
        async close() {},
      };
    },
  };
}
