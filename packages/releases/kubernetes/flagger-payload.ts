import * as z from 'zod';
import { formatDuration, parseDuration } from '#core/duration.ts';
import { OpsError } from '#core/errors.ts';
import { HOUR_MS, MINUTE_MS, SECOND_MS } from '#core/time.ts';

const dnsName = (most: number) =>
  z
    .string()
    .max(most)
    .regex(/^[a-z0-9](?:[-a-z0-9.]*[a-z0-9])?$/, 'takes a name as Kubernetes has them');

const METADATA_ENTRIES = 64;

/** What Flagger posts to a webhook. Phases are its own words; events of a canary that has none yet leave it empty. */
export const FlaggerPayload = z.object({
  name: dnsName(253),
  namespace: dnsName(63),
  phase: z.string().max(63).default(''),
  /** Of what is rolled out: the same spec and configuration have the same. */
  checksum: z
    .string()
    .regex(/^[A-Za-z0-9._:-]{0,128}$/, 'takes up to 128 letters, digits and ._:-')
    .default(''),
  metadata: z
    .record(z.string().max(128), z.string().max(4_096))
    .refine((entries) => Object.keys(entries).length <= METADATA_ENTRIES, { error: `takes at most ${METADATA_ENTRIES} entries` })
    .nullish()
    .transform((metadata) => metadata ?? {}),
});
export type FlaggerPayload = z.infer<typeof FlaggerPayload>;

/** One canary at one version of what it rolls out. */
export interface Rollout {
  readonly tenant: string;
  readonly namespace: string;
  readonly name: string;
  readonly checksum: string;
}

/** The rollout that a payload is about; `input` without a checksum, by which rollouts are told apart. */
export function rolloutOf(tenant: string, { namespace, name, checksum }: FlaggerPayload): Rollout {
  if (checksum === '') {
    throw new OpsError('input', 'checksum is missing', { hint: 'Flagger sends it since 1.26; by it one rollout is told from the next.' });
  }
  return { tenant, namespace, name, checksum };
}

const END_PHASES = ['Succeeded', 'Failed'];

/** How a rollout ended; `input` for a phase in which none has. */
export function endPhaseOf({ phase }: FlaggerPayload): string {
  if (END_PHASES.includes(phase)) return phase;
  throw new OpsError('input', `phase: a rollout ends as ${END_PHASES.join(' or ')}; got ${JSON.stringify(phase)}`);
}

/** The text that the webhook's metadata has to give under a name. */
export function metadataField({ metadata }: FlaggerPayload, field: string): string {
  const value = metadata[field];
  if (value !== undefined && value !== '' && value.length <= 200) return value;
  throw new OpsError('input', `metadata.${field} ${value === undefined ? 'is missing' : 'takes 1 to 200 characters'}`, {
    hint: 'Set it under metadata of the webhook in the Canary.',
  });
}

const OWN_FIELDS = new Set(['application', 'analysis', 'environment', 'interval']);

/**
 * What stands in for `{{name}}` in the queries of an analysis. Flagger calls the workloads by the canary's name and that name with -primary;
 * metadata, as far as its names can stand in braces, goes over that.
 */
export function variablesOf(payload: FlaggerPayload): Readonly<Record<string, string>> {
  const { name, namespace, checksum, metadata } = payload;
  const given = Object.entries(metadata).filter(([field]) => /^[A-Za-z_]\w{0,63}$/.test(field) && !OWN_FIELDS.has(field));
  return {
    ...{ name, namespace, canary: name, stable: `${name}-primary`, release: checksum },
    ...Object.fromEntries(given),
    application: metadataField(payload, 'application'),
    ...(metadata.environment === undefined ? {} : { environment: metadata.environment }),
  };
}

const LEAST_INTERVAL_MS = 10 * SECOND_MS;

/** How long one look is from the next, `1m` where nothing is said. */
export function readInterval(text: string | undefined, field: string): number {
  if (text === undefined) return MINUTE_MS;
  const ms = parseDuration(text);
  if (ms !== undefined && ms >= LEAST_INTERVAL_MS && ms <= HOUR_MS) return ms;
  const range = `${formatDuration(LEAST_INTERVAL_MS)} to ${formatDuration(HOUR_MS)}`;
  throw new OpsError('input', `${field}: takes a duration such as 30s or 1m30s, ${range}; got ${JSON.stringify(text.slice(0, 60))}`);
}
