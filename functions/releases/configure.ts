import * as z from 'zod';
import { parseEvent } from '#functions/event.ts';
import { type OpsFunction, onLambda } from '#functions/lambda.ts';
import { publishing } from '#functions/publishing.ts';
import { publishOutbox } from '#ports/outbox.ts';
import { followRelease, type ReleaseStep } from '#releases/configuration/follow-release.ts';

const kinds: Readonly<Record<string, ReleaseStep['kind']>> = {
  'Release Started': 'started',
  'Release Promoted': 'promoted',
  'Release Rolled Back': 'rolled-back',
};

const text = z.string().min(1);
/** An event of a release. */
const Event = z.object({
  'detail-type': z.enum(['Release Started', 'Release Promoted', 'Release Rolled Back']),
  detail: z.object({ tenant: text, application: text, environment: text, release: text, version: text }),
});

/** Lets the configuration of an application go with its release. */
export const run: OpsFunction = async ({ table, bus, now }, event) => {
  const { 'detail-type': detailType, detail } = parseEvent(Event, event);
  const active = await followRelease({ table, now }, { kind: kinds[detailType] as ReleaseStep['kind'], ...detail });
  if (active) await publishOutbox({ table, bus });
  return { active: active ?? null };
};

export const handler = onLambda(run, publishing);
