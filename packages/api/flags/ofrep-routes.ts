import { createHash } from 'node:crypto';
import { Hono } from 'hono';
import type { ApiContext, ApiEnv } from '#api/api-env.ts';
import { isOpsError } from '#core/errors.ts';
import { type Evaluation, evaluateFlag } from '#flags/evaluate-flag.ts';
import { createEnvironment, type Environment } from '#flags/logic/environment.ts';
import type { FlagView, ViewFlag } from '#flags/store/flag-view.ts';
import type { FlagDomains } from './flag-domains.ts';
import { type OfrepErrorCode, readContext } from './ofrep-request.ts';

const PATH = '/ofrep/v1/evaluate/flags';

interface Failure {
  readonly key?: string | undefined;
  readonly errorCode: OfrepErrorCode;
  readonly errorDetails: string;
}

/** OpenFeature's Remote Evaluation Protocol, 0.3.0: one flag, or all of them with an ETag. */
export function ofrepRoutes(deps: FlagDomains): Hono<ApiEnv> {
  const app = new Hono<ApiEnv>();
  app.post(PATH, (c) => answering(deps, c, undefined, (env, text, view) => answerAll(deps, c, env, text, view)));
  // Names of flags may have slashes, and OpenFeature's client does not escape them.
  app.post(`${PATH}/:key{.+}`, (c) => {
    const key = c.req.param('key');
    return answering(deps, c, key, (env, _text, view) => answerOne(deps, c, key, env, view));
  });
  return app;
}

type Answer = (env: Environment, text: string, view: FlagView) => Response;

async function answering(deps: FlagDomains, c: ApiContext, key: string | undefined, answer: Answer): Promise<Response> {
  const tenant = c.get('tenant');
  const waitMs = deps.evaluationLimit(tenant);
  if (waitMs !== undefined) return tooMany(c, key, waitMs, 'too many evaluations are asked for');
  const read = await readContext(c);
  if ('errorCode' in read) return c.json({ key, ...read }, 400);
  try {
    const view = await deps.readFlags(tenant);
    const answered = answer(createEnvironment(read.context, deps.now(), deps.random), read.text, view);
    await deps.flagUsage.flush();
    return answered;
  } catch (error) {
    if (!isOpsError(error)) throw error;
    if (error.retryAfterMs !== undefined) return tooMany(c, key, error.retryAfterMs, error.message);
    const status = error.kind === 'unavailable' ? 503 : 500;
    return c.json({ key, errorCode: 'GENERAL', errorDetails: error.message } satisfies Failure, status, { 'retry-after': '1' });
  }
}

function tooMany(c: ApiContext, key: string | undefined, waitMs: number, errorDetails: string): Response {
  return c.json({ key, errorCode: 'GENERAL', errorDetails } satisfies Failure, 429, {
    'retry-after': String(Math.max(1, Math.ceil(waitMs / 1_000))),
  });
}

function answerOne(deps: FlagDomains, c: ApiContext, key: string, env: Environment, view: FlagView): Response {
  const flag = view.flags.get(key);
  if (!flag)
    return c.json(
      { key, errorCode: 'FLAG_NOT_FOUND', errorDetails: `there is no flag ${JSON.stringify(key.slice(0, 256))}` } satisfies Failure,
      404,
    );
  const answer = evaluated(deps, c.get('tenant'), flag, env, 'single');
  return c.json(answer, 'errorCode' in answer ? 400 : 200);
}

function answerAll(deps: FlagDomains, c: ApiContext, env: Environment, text: string, { version, flags }: FlagView): Response {
  const answers = [...flags.values()].map((flag) => evaluated(deps, c.get('tenant'), flag, env, 'bulk'));
  const body = JSON.stringify({ flags: answers, metadata: { version: String(version) } });
  // Of the answer itself, so that whatever changes it, a schedule or a new file, changes the tag.
  const etag = `"${createHash('sha256').update(text).update('\0').update(body).digest('hex').slice(0, 32)}"`;
  if (matchesTag(c.req.header('if-none-match'), etag)) return c.body(null, 304, { etag });
  return c.body(body, 200, { etag, 'content-type': 'application/json' });
}

function matchesTag(header: string | undefined, etag: string): boolean {
  return (header ?? '').split(',').some((tag) => [etag, etag.slice(1, -1), '*'].includes(tag.trim().replace(/^W\//, '')));
}

function evaluated({ flagUsage }: FlagDomains, tenant: string, flag: ViewFlag, env: Environment, asked: 'single' | 'bulk'): object {
  const { key, compiled, problem } = flag;
  if (!compiled) return { key, errorCode: 'PARSE_ERROR', errorDetails: problem ?? '' } satisfies Failure;
  const evaluation = evaluateFlag(compiled, env);
  if (!('errorCode' in evaluation)) flagUsage.note(tenant, key, evaluation.variant, asked);
  return { key, ...inOfrep(evaluation), ...(compiled.metadata && { metadata: compiled.metadata }) };
}

/** OFREP 0.3.0 has no reason DEFAULT, which is said of targeting that decided nothing. */
function inOfrep(evaluation: Evaluation): object {
  return 'errorCode' in evaluation || evaluation.reason !== 'DEFAULT' ? evaluation : { ...evaluation, reason: 'UNKNOWN' };
}
