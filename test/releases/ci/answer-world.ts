import { createAnswering } from '#functions/answering.ts';
import { createMemoryTable } from '#ports/memory/memory-table.ts';
import type { Outgoing } from '#ports/outgoing.ts';
import type { Table } from '#ports/table.ts';
import { recordAnswers } from '#releases/ci/record-answers.ts';
import type { ReleaseEvent } from '#releases/ci/release-event.ts';
import { sendAnswers } from '#releases/ci/send-answers.ts';
import { APP, createGithub, INSTALLATION, REPOSITORY } from './github-server.ts';
import { NOW } from './signed-deliveries.ts';

export const COMMIT = 'f95f852bd8fca8fcc58a9a2d6c842781e32a215e';
const API = 'https://github.example.com/api/v3';

/** An event of a release that a protection rule asked for; its id is what it tells. */
export function releaseEvent(fields: Partial<ReleaseEvent> = {}): ReleaseEvent {
  return {
    id: 'e1',
    tenant: 'a',
    at: '2026-11-23T12:00:00.000Z',
    release: 'r1',
    application: 'shop',
    environment: 'production',
    version: '1.2.3',
    commit: COMMIT,
    sentence: 'All checks hold.',
    url: 'https://quarterdeck.example.com/api/releases/r1',
    ...fields,
  };
}

/** What the delivery of a deployment leaves for its answer. */
export const deploymentReply = {
  provider: 'github',
  repository: REPOSITORY,
  environment: 'production',
  sha: COMMIT,
  installation: String(INSTALLATION),
  deploymentId: '42',
};

export interface AnswerPorts {
  readonly table: Table;
  readonly outgoing: Outgoing;
}

/** What answers are noted and sent by, on ports that may fail, against the stand-in. */
export function createAnswerWorld(options: { readonly requestsAnHour?: number } = {}) {
  const clock = { nowMs: NOW };
  const now = () => clock.nowMs;
  const github = createGithub({ now, ...options });
  const table = createMemoryTable();
  const atApi: Outgoing = {
    send: (request) => github.outgoing.send({ ...request, url: request.url.replace(API, 'http://stand-in') }),
  };
  const ports: AnswerPorts = { table, outgoing: atApi };
  let ids = 0;
  const newId = () => `stamp${++ids}`;
  const settings = {
    githubApp: { ...APP, tenant: 'a' },
    githubApi: API,
    gitlabApi: 'https://gitlab.example.com/api/v4',
    gitlabApiTokens: [{ tenant: 'a', secret: 'gitlab-api-token' }],
  };
  return {
    clock,
    github,
    table,
    ports,
    /** A process: its memory of tokens is its own. */
    start(over: AnswerPorts = ports) {
      const { canAnswer, send } = createAnswering(settings, over.outgoing, now);
      const deps = { table: over.table, now, newId };
      return {
        record: (detailType: string, event: ReleaseEvent) => recordAnswers({ ...deps, canAnswer }, detailType, event),
        send: () => sendAnswers({ ...deps, send, random: () => 0.5 }),
      };
    },
    rule(run = 7) {
      const callbackUrl = `${API}${github.askRule(run, 'production')}`;
      const { deploymentId: rule, ...reply } = deploymentReply;
      return { ...reply, callbackUrl, rule };
    },
    ruleState: (run = 7) => github.rules.get(`/repos/${REPOSITORY}/actions/runs/${run}/deployment_protection_rule`),
    deadLetters: () => table.items().filter(({ pk }) => pk === 'dead-letters'),
  };
}
