import type { Operation } from '#api/operation.ts';

const CANNOT_OPEN = { '409': 'The repository cannot be opened; the message says why.' };
const NONE = { '404': 'There is none of that name or id.' };
const SHARED = 'on a server that tenants share for admin of tenant default alone';
const get = (path: string, summary: string, answer: string, more: Partial<Operation> = {}): Operation => ({
  method: 'get',
  path,
  summary,
  scope: 'admin',
  answers: { '200': answer, ...(path.includes('{') && NONE) },
  ...more,
});
const run = (what: string): Operation => ({
  method: 'post',
  path: `/api/${what}s/{name}/run`,
  summary: `Run a ${what} now; one that is under way is joined`,
  scope: 'admin',
  answers: { '202': 'name, run, joined: a function does it.', ...NONE },
});

/** Backups, snapshots, restores and drills. */
export const backupOperations: readonly Operation[] = [
  get(
    '/api/backups',
    `What is backed up, and how it stands: what runs, how the last run ended, the last good one, when it is due; ${SHARED}`,
    'backups, repositories {forget, check}, drills: each with schedule, nextDueAt, running, last, lastGoodAt.',
    { scope: 'query' },
  ),
  run('backup'),
  get('/api/snapshots', 'Snapshots, the newest first', 'snapshots, problems [{repository, snapshot, message}], next.', {
    parameters: ['repository', 'backup', 'tag', 'limit', 'after'],
  }),
  get('/api/snapshots/{id}', 'One snapshot, by its id or the beginning of it', 'The manifest.', { parameters: ['repository'] }),
  get('/api/snapshots/{id}/entries', 'What lies in a folder of a snapshot; recursive=true: everything below', 'self, entries, next.', {
    parameters: ['repository', 'path', 'recursive', 'limit', 'after'],
    answers: { '200': 'self, entries [{path, kind, sizeBytes, meta}], next.', ...NONE, ...CANNOT_OPEN },
  }),
  get(
    '/api/snapshots/{id}/diff/{other}',
    'What differs from one snapshot to another; a page may be empty and have a next',
    'differences, next.',
    {
      parameters: ['repository', 'limit', 'after'],
      answers: { '200': 'differences [{path, change: added|removed|changed|described, before, after}], next.', ...NONE, ...CANNOT_OPEN },
    },
  ),
  get('/api/restores', `Restores that were asked for in the last 90 days, the newest first; ${SHARED}`, 'restores.', {
    scope: 'query',
    parameters: ['limit'],
  }),
  {
    method: 'post',
    path: '/api/restores',
    summary:
      'Restore: {"repository","snapshot","to","include","exclude","dryRun","yes"}. to: dynamodb:TABLE, s3://bucket/prefix, or the name of a folder below QUARTERDECK_RESTORE_FOLDER. The same Idempotency-Key is one restore',
    scope: 'admin',
    body: ['application/json'],
    answers: {
      '202': 'id, snapshot, to, joined: a function does it.',
      ...NONE,
      '409': 'The repository cannot be opened, or the key is taken.',
    },
  },
  get(
    '/api/restores/{id}',
    `One restore; ${SHARED}`,
    'state (running, done, failed), request, running, last {sentence, result {missing}}.',
    {
      scope: 'query',
    },
  ),
  get('/api/drills', `Reports of drills, the newest first; ${SHARED}`, 'drills, next.', { scope: 'query', parameters: ['limit', 'after'] }),
  get('/api/drills/{id}', `One report as it was signed; ${SHARED}`, 'report, text, signature, publicKey, signatureIs {right, by}.', {
    scope: 'query',
  }),
  run('drill'),
];
