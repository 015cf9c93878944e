import type { Data } from './data.ts';
import type { Events } from './events.ts';
import { defineFunction, type Functions } from './function.ts';
import { onTable, within } from './permissions.ts';

/** The function URL that answers queries. */
export function createQuery(events: Events, data: Data): { readonly url: $util.Output<string>; readonly functions: Functions } {
  const http = defineFunction(events, data, 'query-http', {
    memory: '1769 MB',
    timeout: '3 minutes',
    startedBy: 'url',
    streams: true,
    permissions: [
      onTable(data.table, 'GetItem', 'Query'),
      within(data.blobs, ['s3:GetObject'], 'segments', 'tier=hot', 'tier=warm', 'tier=cold', 'alerts'),
    ],
  });
  return { url: http.url, functions: { 'query-http': http } };
}
