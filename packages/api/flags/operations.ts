import type { Operation } from '#api/operation.ts';

const JSON_BODY = ['application/json'];
const said = ['by', 'reason'];
const changed = {
  '200': '{"key","file","version","flag","kill","boundTo"}; ETag: the version.',
  '404': 'This tenant has no such flag.',
  '409': 'Somebody else has changed it, a file has it, or a release drives its rollout: the message says which.',
};

const evaluation = {
  '400': '{"key","errorCode","errorDetails"}: PARSE_ERROR, INVALID_CONTEXT, TARGETING_KEY_MISSING or GENERAL.',
  '429': 'Too many at once; Retry-After says when.',
};

/** Flags, as /api/openapi.json has them. */
export const flagOperations: readonly Operation[] = [
  {
    method: 'post',
    path: '/ofrep/v1/evaluate/flags',
    summary: 'OFREP 0.3.0: evaluate all flags with one context',
    scope: 'query',
    body: JSON_BODY,
    answers: {
      '200': '{"flags","metadata"}, with an ETag.',
      '304': 'If-None-Match has the ETag of what would be answered.',
      ...evaluation,
    },
  },
  {
    method: 'post',
    path: '/ofrep/v1/evaluate/flags/{key}',
    summary: 'OFREP 0.3.0: evaluate one flag',
    scope: 'query',
    body: JSON_BODY,
    answers: { '200': '{"key","value","reason","variant","metadata"}', '404': 'FLAG_NOT_FOUND', ...evaluation },
  },
  {
    method: 'get',
    path: '/api/flags',
    summary: 'Every flag, of files and written by API, and what is wrong with any',
    scope: 'query',
    answers: { '200': '{"version","flags","problems"}' },
  },
  {
    method: 'get',
    path: '/api/flags/stale',
    summary: 'Flags that were not changed for so many days and of which nobody asked, or everybody got the same',
    scope: 'query',
    parameters: ['days'],
    answers: { '200': '{"days","flags":[{"flag","changedAt","askedOn","askedWithAllOn","variants","why"}]}' },
  },
  {
    method: 'post',
    path: '/api/flags/import',
    summary: 'Take flags of a file: format unleash (what its client API gives) or flagd; dryRun=true only says what they come to',
    scope: 'admin',
    parameters: ['format!', 'dryRun', ...said],
    body: JSON_BODY,
    answers: { '200': '{"imported":[{"key","result","message"}],"notes"}' },
  },
  {
    method: 'get',
    path: '/api/flags/{key}',
    summary: 'One flag',
    scope: 'query',
    answers: { '200': '{"key","source","version","percentage","kill","boundTo","flag"}; ETag: the version.', '404': 'No such flag.' },
  },
  {
    method: 'put',
    path: '/api/flags/{key}',
    summary: "Write a flag in flagd's form; If-Match with the version that was read, or *, where there is one already",
    scope: 'admin',
    parameters: [...said, 'force'],
    body: JSON_BODY,
    answers: { '201': 'It was made.', ...changed },
  },
  {
    method: 'delete',
    path: '/api/flags/{key}',
    summary: 'Delete a flag that was written by API; If-Match with its version, or *',
    scope: 'admin',
    parameters: [...said, 'force'],
    answers: { '204': 'It is gone.', '409': changed['409'] },
  },
  {
    method: 'get',
    path: '/api/flags/{key}/audit',
    summary: 'Who changed it, when, from what to what; the last change first',
    scope: 'query',
    parameters: ['limit', 'before'],
    answers: { '200': '{"changes":[{"version","at","by","reason","action","before","after"}]}' },
  },
  {
    method: 'post',
    path: '/api/flags/{key}/rollout',
    summary: 'Set how many percent get the variant: {"percentage","steps","variant","expectedVersion","by","reason","force"}',
    scope: 'admin',
    parameters: said,
    body: JSON_BODY,
    answers: changed,
  },
  {
    method: 'post',
    path: '/api/flags/{key}/kill',
    summary: 'Turn it off for everybody, at once: {"variant","by","reason"}',
    scope: 'admin',
    parameters: said,
    body: JSON_BODY,
    answers: changed,
  },
  {
    method: 'delete',
    path: '/api/flags/{key}/kill',
    summary: 'Let it give again what it gave before it was turned off',
    scope: 'admin',
    parameters: said,
    answers: changed,
  },
];
