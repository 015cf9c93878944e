import { Hono } from 'hono';
import * as z from 'zod';
import type { ApiContext, ApiEnv } from '#api/api-env.ts';
import { readBody } from '#api/read-body.ts';
import { OpsError } from '#core/errors.ts';
import { MINUTE_MS } from '#core/time.ts';
import { durationField, strictFields } from '#model/strict-fields.ts';
import { readInterval } from '#releases/kubernetes/flagger-payload.ts';
import { type LookSummary, summarizeJudgement } from '#releases/kubernetes/look-summary.ts';
import { takeLook } from '#releases/kubernetes/take-look.ts';
import type { KubernetesDeps } from './kubernetes-deps.ts';
import { checkFields, parsePayload } from './read-payload.ts';

/** What Argo Rollouts' web metric asks. */
export const ARGO_PATH = '/webhooks/argo/measure';

const MAX_BYTES = 64 * 1024;
const MAX_VARIABLES = 64;

const Variables = z
  .record(z.string().regex(/^[A-Za-z_]\w{0,63}$/, 'a variable is called by letters, digits and _'), z.string().max(4_096))
  .refine((variables) => Object.keys(variables).length <= MAX_VARIABLES, { error: `takes at most ${MAX_VARIABLES} entries` });

/** A name by which looks at one rollout belong together. */
const runName = z.string().regex(/^[A-Za-z0-9._:-]{1,128}$/, 'takes 1 to 128 letters, digits and ._:-');
const plainName = z.string().regex(/^[a-z0-9](?:[-a-z0-9.]{0,251}[a-z0-9])?$/, 'takes a name as Kubernetes has them');

/** What is to be measured; by POST the body, by GET the query, where variables are parameters such as `var.canary`. */
const ArgoMeasure = strictFields({
  application: z.string().min(1).max(200),
  analysis: z.string().min(1).max(200),
  environment: z.string().min(1).max(200).optional(),
  window: durationField('1m', '1d').optional(),
  variables: Variables.default({}),
  /** Whether what is neither pass nor fail is an error of the measurement, which no condition can take for success. */
  inconclusive: z.enum(['error', 'answer']).default('error'),
  /** Named, each call is a look of one sequential analysis; not named, each is by itself. */
  run: runName.optional(),
  namespace: plainName.default('argo'),
  name: plainName.default('measure'),
  interval: z.string().optional(),
});
type ArgoMeasure = z.infer<typeof ArgoMeasure>;

const DEFAULT_WINDOW_MS = 5 * MINUTE_MS;

/** GET and POST of Argo Rollouts' web metric: the verdict as JSON, for `jsonPath` and conditions to pick from. */
export function argoRoutes(deps: KubernetesDeps): Hono<ApiEnv> {
  const app = new Hono<ApiEnv>();
  app.get(ARGO_PATH, (c) => answerMeasure(deps, c, readParameters(c)));
  app.post(ARGO_PATH, async (c) => answerMeasure(deps, c, parsePayload(ArgoMeasure, await readBody(c.req.raw, MAX_BYTES), 'the body')));
  return app;
}

function readParameters(c: ApiContext): ArgoMeasure {
  const fields: Record<string, unknown> = {};
  const variables: Record<string, string> = {};
  for (const [name, values] of Object.entries(c.req.queries())) {
    if (values.length > 1) throw new OpsError('input', `${name.slice(0, 100)}: is there more than once`);
    if (name.startsWith('var.')) variables[name.slice('var.'.length)] = values[0];
    else fields[name] = values[0];
  }
  return checkFields(ArgoMeasure, { ...fields, variables }, 'the query');
}

async function answerMeasure(deps: KubernetesDeps, c: ApiContext, asked: ArgoMeasure): Promise<Response> {
  const { verdict, sentence, metric, numbers, look, looks } = await measure(deps, c.get('tenant'), asked);
  const value = numbers.estimate ?? numbers.value ?? null;
  const body = { verdict, ok: verdict === 'pass', value, sentence, metric, numbers, look, looks };
  const isAnswer = verdict === 'pass' || verdict === 'fail' || (verdict === 'continue' && asked.run !== undefined);
  return c.json(body, isAnswer || asked.inconclusive === 'answer' ? 200 : 412);
}

async function measure(deps: KubernetesDeps, tenant: string, asked: ArgoMeasure): Promise<LookSummary> {
  const { application, analysis, environment, window: windowMs = DEFAULT_WINDOW_MS } = asked;
  const variables = { ...asked.variables, application, ...(environment === undefined ? {} : { environment }) };
  if (asked.run !== undefined) {
    const rollout = { tenant, namespace: asked.namespace, name: asked.name, checksum: asked.run };
    const intervalMs = readInterval(asked.interval, 'interval');
    return takeLook(deps, { rollout, application, analysis, variables, intervalMs, leadMs: windowMs });
  }
  const nowMs = deps.now();
  const configured = await deps.findAnalysis({ tenant, application, analysis });
  const span = { fromMs: nowMs - windowMs, toMs: nowMs };
  return summarizeJudgement(await deps.measureOnce({ tenant, analysis: configured, variables, ...span }));
}
