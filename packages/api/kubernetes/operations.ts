import type { Operation } from '#api/operation.ts';
import { ARGO_PATH } from './argo-routes.ts';
import { FLAGGER_PATH, GATE_STAGES } from './flagger-routes.ts';

const JSON_BODY = ['application/json'];
const refused = {
  '400': 'What is wrong with the payload.',
  '404': 'There is no such application, environment or analysis.',
  '413': 'The payload is larger than 64 KiB.',
  '503': 'It cannot be told now; ask again.',
};

function hook(name: string, summary: string, scope: 'ingest' | 'query', answers: Readonly<Record<string, string>>): Operation {
  return { method: 'post', path: `${FLAGGER_PATH}/${name}`, summary, scope, body: JSON_BODY, answers: { ...answers, ...refused } };
}

const stages = GATE_STAGES.map((stage) =>
  hook(stage, `Flagger's ${stage} hook: may this rollout go on? metadata: application, environment, analysis`, 'query', {
    '200': 'Every gate is open, and why.',
    '412': 'A gate is shut, or the analysis has not passed, and why.',
  }),
);

const MEASURE = 'Argo Rollouts\u2019 web metric: judge the last window, or with run the next look at one rollout';
const measured = {
  '200': '{"verdict","ok","value","sentence","metric","numbers","look","looks"}.',
  '412': 'The same, where nothing could be concluded; with inconclusive=answer that is a 200 too.',
  ...refused,
};

/** Webhooks of Kubernetes' rollout controllers. */
export const kubernetesOperations: readonly Operation[] = [
  ...stages,
  hook('rollout', "Flagger's rollout hook: one look of an analysis. metadata: application, analysis, interval, variables", 'query', {
    '200': 'Pass, or continue, in a sentence.',
    '412': 'Fail, or inconclusive, in a sentence.',
  }),
  hook('rollback', "Flagger's rollback hook: is this rollout to go back?", 'query', {
    '200': 'It is: an analysis of it has failed.',
    '412': 'None has.',
  }),
  hook('post-rollout', "Flagger's post-rollout hook: a rollout has ended", 'ingest', { '200': 'Noted, or known already.' }),
  hook('event', "Flagger's event hook: something happened to a canary", 'ingest', { '200': 'Noted, or known already.' }),
  {
    method: 'get',
    path: ARGO_PATH,
    summary: MEASURE,
    scope: 'query',
    parameters: [
      'application!',
      'analysis!',
      'environment',
      'window',
      'inconclusive',
      'run',
      'namespace',
      'name',
      'interval',
      'var.canary',
      'var.stable',
    ],
    answers: measured,
  },
  { method: 'post', path: ARGO_PATH, summary: MEASURE, scope: 'query', body: JSON_BODY, answers: measured },
];
