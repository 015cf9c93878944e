import type { Data } from './data.ts';
import type { Events } from './events.ts';
import { defineFunction, type Functions } from './function.ts';
import { onPartitions } from './permissions.ts';

/** The function URL that evaluates flags and manages them. It reaches flags alone; what it tells of them events-publish sends. */
export function createFlags(events: Events, data: Data): { readonly url: $util.Output<string>; readonly functions: Functions } {
  const http = defineFunction(events, data, 'flags-http', {
    memory: '1024 MB',
    timeout: '30 seconds',
    startedBy: 'url',
    permissions: [
      onPartitions(data.table, ['flags/*'], 'Query', 'PutItem', 'UpdateItem', 'BatchWriteItem'),
      onPartitions(data.table, ['outbox'], 'PutItem'),
    ],
  });
  return { url: http.url, functions: { 'flags-http': http } };
}
