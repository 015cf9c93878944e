import { createHash } from 'node:crypto';
import { Hono } from 'hono';
import * as z from 'zod';
import { endSilence, putSilence } from '#alerts/dispatch/change-silence.ts';
import { readSilences } from '#alerts/dispatch/silence-store.ts';
import { decodeMatcher, encodeMatcher } from '#alerts/routing/matchers.ts';
import { querySilences, sortSilences } from '#alerts/routing/query-silences.ts';
import { type Silence, silenceState } from '#alerts/routing/silence.ts';
import type { ApiEnv } from '#api/api-env.ts';
import { OpsError } from '#core/errors.ts';
import type { AlertDomains } from './alert-domains.ts';
import { answeringAlertmanager, isoTime, parseTimestamp, readFilter, readJson } from './alertmanager-answers.ts';

const time = z.string().transform((text, context) => {
  const ms = parseTimestamp(text);
  if (Number.isNaN(ms)) context.addIssue({ code: 'custom', message: `must be of type date-time: ${JSON.stringify(text.slice(0, 100))}` });
  return ms;
});

/** Alertmanager's PostableSilence. */
const PostedSilence = z.object({
  id: z.string().optional(),
  matchers: z
    .array(
      z.object({
        name: z.string(),
        value: z.string(),
        isRegex: z.boolean(),
        isEqual: z
          .boolean()
          .nullish()
          .transform((is) => is ?? true),
      }),
    )
    .min(1, 'should have at least 1 items'),
  startsAt: time,
  endsAt: time,
  createdBy: z.string(),
  comment: z.string(),
  annotations: z.record(z.string(), z.string()).optional(),
});
type PostedSilence = z.infer<typeof PostedSilence>;

const PATH = '/alertmanager/api/v2';
const MAX_BYTES = 256 * 1024;

/** GET silences and silence/{id} of Alertmanager's API v2. */
export function silenceRoutes(deps: AlertDomains): Hono<ApiEnv> {
  const app = new Hono<ApiEnv>();
  app.get(`${PATH}/silences`, (c) =>
    answeringAlertmanager(c, async () => {
      const filter = readFilter(c);
      const nowMs = deps.now();
      const found = querySilences(await readSilences(deps.table, c.get('tenant'), nowMs), { filter }, nowMs);
      return c.json(sortSilences(found, nowMs).map((silence) => toJson(silence, nowMs)));
    }),
  );
  app.get(`${PATH}/silence/:id`, (c) =>
    answeringAlertmanager(c, async () => {
      const silence = (await readSilences(deps.table, c.get('tenant'), deps.now())).get(c.req.param('id'));
      return silence ? c.json(toJson(silence, deps.now())) : c.body(null, 404);
    }),
  );
  return app;
}

/** POST silences and DELETE silence/{id}. */
export function changeSilenceRoutes({ newId, ...rest }: AlertDomains): Hono<ApiEnv> {
  const deps = { ...rest, newId: () => uuidOf(newId()) };
  const app = new Hono<ApiEnv>();
  app.post(`${PATH}/silences`, (c) =>
    answeringAlertmanager(c, async () => {
      const posted = await readJson(c, PostedSilence, MAX_BYTES);
      return c.json({ silenceID: await putSilence(deps, c.get('tenant'), toRequest(posted, deps.now())) });
    }),
  );
  app.delete(`${PATH}/silence/:id`, (c) =>
    answeringAlertmanager(c, async () => {
      await endSilence(deps, c.get('tenant'), c.req.param('id'));
      return c.body(null, 200);
    }),
  );
  return app;
}

/** Clients take the ids of silences for UUIDs. */
function uuidOf(id: string): string {
  const hex = createHash('sha256').update(id).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

function toRequest({ id, matchers, startsAt, endsAt, createdBy, comment, annotations }: PostedSilence, nowMs: number) {
  if (startsAt >= endsAt) throw new OpsError('input', 'Failed to create silence: start time must be before end time');
  if (endsAt < nowMs) throw new OpsError('input', "Failed to create silence: end time can't be in the past");
  const matcherSets = [matchers.map(decodeMatcher)];
  return { id: id || undefined, matcherSets, startsAtMs: startsAt, endsAtMs: endsAt, createdBy, comment, annotations };
}

/** Alertmanager's GettableSilence. */
function toJson(silence: Silence, nowMs: number) {
  return {
    id: silence.id,
    status: { state: silenceState(silence, nowMs) },
    updatedAt: isoTime(silence.updatedAtMs),
    comment: silence.comment,
    createdBy: silence.createdBy,
    endsAt: isoTime(silence.endsAtMs),
    matchers: silence.matcherSets.flat().map(encodeMatcher),
    startsAt: isoTime(silence.startsAtMs),
    ...(silence.annotations && { annotations: silence.annotations }),
  };
}
