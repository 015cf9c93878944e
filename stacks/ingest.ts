import type { Data } from './data.ts';
import type { Events } from './events.ts';
import { defineFunction, type Functions } from './function.ts';
import { onTable, within } from './permissions.ts';

/** The function URL that takes data in, the import of uploaded files, and aggregation rules. */
export function createIngest(events: Events, data: Data): { readonly url: $util.Output<string>; readonly functions: Functions } {
  const { blobs, uploads, table } = data;
  const write = within(blobs, ['s3:PutObject'], 'segments');
  const http = defineFunction(events, data, 'ingest-http', {
    memory: '1024 MB',
    timeout: '1 minute',
    startedBy: 'url',
    permissions: [
      write,
      onTable(table, 'GetItem', 'Query', 'PutItem', 'BatchWriteItem', 'ConditionCheckItem'),
      // A presigned upload is allowed what its signer is.
      within(uploads, ['s3:PutObject'], 'imports'),
    ],
  });
  const importFile = defineFunction(events, data, 'ingest-import', {
    memory: '1769 MB',
    timeout: '15 minutes',
    startedBy: 'events',
    permissions: [
      write,
      onTable(table, 'GetItem', 'Query', 'PutItem', 'UpdateItem', 'BatchWriteItem', 'ConditionCheckItem'),
      within(uploads, ['s3:GetObject', 's3:DeleteObject'], 'imports'),
      {
        actions: ['s3:ListBucket'],
        resources: [uploads.arn],
        conditions: [{ test: 'StringLike', variable: 's3:prefix', values: ['imports/*'] }],
      },
    ],
  });
  const aggregate = defineFunction(events, data, 'ingest-aggregate', {
    memory: '1769 MB',
    timeout: '15 minutes',
    startedBy: 'events',
    permissions: [
      write,
      onTable(table, 'GetItem', 'Query', 'PutItem', 'UpdateItem', 'DeleteItem', 'BatchWriteItem', 'ConditionCheckItem'),
      within(blobs, ['s3:GetObject'], 'segments', 'tier=hot'),
    ],
  });
  return { url: http.url, functions: { 'ingest-http': http, 'ingest-import': importFile, 'ingest-aggregate': aggregate } };
}
