import { Hono } from 'hono';
import type { ApiContext, ApiEnv } from '#api/api-env.ts';
import { readBody } from '#api/read-body.ts';
import { askRollback } from '#releases/kubernetes/ask-rollback.ts';
import { confirmStage } from '#releases/kubernetes/confirm-stage.ts';
import { endRollout } from '#releases/kubernetes/end-rollout.ts';
import { endPhaseOf, FlaggerPayload, metadataField, readInterval, rolloutOf, variablesOf } from '#releases/kubernetes/flagger-payload.ts';
import type { GateStage } from '#releases/kubernetes/gates.ts';
import { reportEvent } from '#releases/kubernetes/report-event.ts';
import { takeLook } from '#releases/kubernetes/take-look.ts';
import type { KubernetesDeps } from './kubernetes-deps.ts';
import { parsePayload } from './read-payload.ts';

/** Below it, each of Flagger's hooks by its name. */
export const FLAGGER_PATH = '/webhooks/flagger';

/** Hooks that only ask gates. */
export const GATE_STAGES: readonly GateStage[] = ['confirm-rollout', 'pre-rollout', 'confirm-traffic-increase', 'confirm-promotion'];

const MAX_BYTES = 64 * 1024;
const MAX_ANSWER = 2_000;

/**
 * Flagger takes 200 to 202 for yes and everything else for no, and its client sends again what is answered with 429 or 5xx. 412 is a no
 * that it does not repeat, and that no mistake in the request is answered with.
 */
const NO = 412;

/** The hooks that are answered with a judgement: rollout, rollback, pre-rollout and the three that confirm. */
export function flaggerJudgingRoutes(deps: KubernetesDeps): Hono<ApiEnv> {
  const app = new Hono<ApiEnv>();
  for (const stage of GATE_STAGES) app.post(`${FLAGGER_PATH}/${stage}`, (c) => answerStage(deps, c, stage));
  app.post(`${FLAGGER_PATH}/rollout`, (c) => answerRollout(deps, c));
  app.post(`${FLAGGER_PATH}/rollback`, (c) => answerRollback(deps, c));
  return app;
}

/** The hooks that tell what happened: post-rollout and event. */
export function flaggerReportingRoutes(deps: Pick<KubernetesDeps, 'table' | 'now' | 'newId'>): Hono<ApiEnv> {
  const app = new Hono<ApiEnv>();
  app.post(`${FLAGGER_PATH}/post-rollout`, async (c) => {
    const payload = await readPayload(c);
    const isNews = await endRollout(deps, rolloutOf(c.get('tenant'), payload), endPhaseOf(payload));
    return answer(c, true, isNews ? 'noted' : 'known already');
  });
  app.post(`${FLAGGER_PATH}/event`, async (c) => {
    const isNews = await reportEvent(deps, c.get('tenant'), await readPayload(c));
    return answer(c, true, isNews ? 'noted' : 'known already');
  });
  return app;
}

async function answerStage(deps: KubernetesDeps, c: ApiContext, stage: GateStage): Promise<Response> {
  const payload = await readPayload(c);
  const { isOpen, reasons } = await confirmStage(deps, {
    rollout: rolloutOf(c.get('tenant'), payload),
    application: metadataField(payload, 'application'),
    environment: metadataField(payload, 'environment'),
    stage,
    analysis: payload.metadata.analysis === undefined ? undefined : metadataField(payload, 'analysis'),
    intervalMs: intervalOf(payload),
  });
  return answer(c, isOpen, reasons.join('; ') || (isOpen ? 'open' : 'shut'));
}

async function answerRollout(deps: KubernetesDeps, c: ApiContext): Promise<Response> {
  const payload = await readPayload(c);
  const intervalMs = intervalOf(payload);
  const { verdict, sentence } = await takeLook(deps, {
    rollout: rolloutOf(c.get('tenant'), payload),
    application: metadataField(payload, 'application'),
    analysis: metadataField(payload, 'analysis'),
    variables: variablesOf(payload),
    intervalMs,
    // Flagger gives the canary traffic at one tick, and asks for the first time at the next.
    leadMs: intervalMs,
  });
  return answer(c, verdict === 'pass' || verdict === 'continue', `${verdict}: ${sentence}`);
}

async function answerRollback(deps: KubernetesDeps, c: ApiContext): Promise<Response> {
  const payload = await readPayload(c);
  const { application, analysis } = payload.metadata;
  const failed = await askRollback(deps, { rollout: rolloutOf(c.get('tenant'), payload), application, analysis });
  return answer(c, failed !== undefined, failed ? `roll back: ${failed.summary.sentence}` : 'no analysis of this rollout has failed');
}

async function readPayload(c: ApiContext): Promise<FlaggerPayload> {
  return parsePayload(FlaggerPayload, await readBody(c.req.raw, MAX_BYTES), 'the payload');
}

function intervalOf({ metadata }: FlaggerPayload): number {
  return readInterval(metadata.interval, 'metadata.interval');
}

/** Flagger puts the body of a no into its log and the canary's events: a line of text says more there than JSON. */
function answer(c: ApiContext, isYes: boolean, text: string): Response {
  return c.text(`${text.slice(0, MAX_ANSWER)}\n`, isYes ? 200 : NO);
}
