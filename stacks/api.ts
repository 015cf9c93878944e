import type { Data } from './data.ts';
import type { Events } from './events.ts';
import { defineFunction, type Functions } from './function.ts';
import { onTable } from './permissions.ts';

/** Making and deleting API keys, for whoever may invoke these functions. */
export function createKeys(events: Events, data: Data): Functions {
  const define = (name: string, permission: sst.aws.FunctionPermissionArgs) =>
    defineFunction(events, data, name, {
      memory: '256 MB',
      timeout: '30 seconds',
      startedBy: 'call',
      permissions: [permission],
    });
  return {
    'api-create-key': define('api-create-key', onTable(data.table, 'GetItem', 'PutItem')),
    'api-delete-key': define('api-delete-key', onTable(data.table, 'GetItem', 'Query', 'DeleteItem')),
  };
}
