import type { Operation } from '#api/operation.ts';
import { COMMANDS } from '#releases/plan/command.ts';

const MISSING = { '404': 'The tenant has none of that name.' };
const get = (path: string, summary: string, answer: string, more: Partial<Operation> = {}): Operation => ({
  method: 'get',
  path,
  summary,
  scope: 'query',
  answers: { '200': answer, ...(path.includes('{') && MISSING) },
  ...more,
});

const SUMMARIES: Readonly<Record<(typeof COMMANDS)[number], string>> = {
  approve: 'Open the approval gates that a release waits for',
  reject: 'End a release that waits for an approval, or at any other time: what was shifted goes back',
  pause: 'Keep a release from its next step; analyses go on, and a failure still rolls it back',
  resume: 'Let a paused release go on',
  abort: 'Roll a release back, or return a promoted one to the version before it while that is kept',
  promote: 'Go on with the next step whatever the pause and the gates of this one say',
  retry:
    'Try at once what waits for its next try; begin an inconclusive analysis anew; start a release again that was rolled back or cancelled',
};

/** Applications and releases. */
export const releaseOperations: readonly Operation[] = [
  get(
    '/api/applications',
    'What is released here, how, and what has each environment',
    'applications [{name, repositories, environments}].',
  ),
  get('/api/applications/{name}', 'One application, and its versions', 'name, repositories, environments, versions.'),
  get('/api/releases', 'Releases, the newest first', 'releases, and next: what to ask for as after.', {
    parameters: ['application', 'environment', 'state', 'limit', 'after'],
  }),
  {
    method: 'post',
    path: '/api/releases',
    summary:
      'Start a release: {"application","environment","version","commit","ref","artifactDigest","sbomUrl","delivery","actor"}; the same delivery, or Idempotency-Key, is one release',
    scope: 'admin',
    body: ['application/json'],
    answers: {
      '200': 'The release that the same request has started, or that it has joined.',
      '201': 'The release.',
      '404': 'There is no such application or environment.',
      '409': 'The version is known with another commit or artifact.',
    },
  },
  get(
    '/api/releases/{id}',
    'One release: where it stands, its gates and why they are open or shut, its steps, its history',
    'state, position, step, steps, weight, sentence, traffic, gates [{name, state, sentence}], plan, analyses, judgements, trouble, history.',
  ),
  get(
    '/api/releases/{id}/history',
    'Everything that has happened to a release, the oldest first',
    'history [{number, at, kind, sentence}].',
  ),
  ...COMMANDS.map(
    (command): Operation => ({
      method: 'post',
      path: `/api/releases/{id}/${command}`,
      summary: `${SUMMARIES[command]}: {"actor","why","step"}`,
      scope: 'admin',
      body: ['application/json'],
      answers: { '200': 'The release as it is now.', ...MISSING, '409': 'It is at another step by now, or there is nothing to do so to.' },
    }),
  ),
];
