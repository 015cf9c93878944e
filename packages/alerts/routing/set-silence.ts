import { OpsError } from '#core/errors.ts';
import type { MatcherMode } from './parse-matchers.ts';
import { type Silence, silenceState, validateSilence } from './silence.ts';

/** A silence as somebody asks for it: without an id a new one, with one a change. */
export interface SilenceRequest extends Omit<Silence, 'id' | 'updatedAtMs' | 'startsAtMs'> {
  readonly id?: string | undefined;
  /** Now, where it is left out. */
  readonly startsAtMs?: number | undefined;
}

/** Bounds of a tenant's silences; expired ones count until they are collected. */
export interface SilenceLimits {
  readonly maxSilences?: number | undefined;
  /** Of one silence as JSON in UTF-8. */
  readonly maxSilenceSizeBytes?: number | undefined;
}

/** What a request comes to. */
export interface SilencePlan {
  /** The id under which the request now stands. */
  readonly id: string;
  /** It is a new silence, not a change of one. */
  readonly created: boolean;
  /** Records to write, together. */
  readonly write: readonly Silence[];
}

/**
 * Plans the creation or change of a silence. A change that would rewrite history (other matchers, another start of an active one,
 * anything of an expired one) expires the old silence and makes a new one under `newId`. `input`, `missing` and `limit` in
 * Alertmanager's words; then nothing is written.
 */
export function setSilence(
  silences: ReadonlyMap<string, Silence>,
  request: SilenceRequest,
  { nowMs, newId, limits = {}, mode }: { nowMs: number; newId: string; limits?: SilenceLimits; mode?: MatcherMode },
): SilencePlan {
  const wanted = { ...request, startsAtMs: request.startsAtMs ?? nowMs };
  try {
    validateSilence(wanted, mode);
  } catch (cause) {
    throw cause instanceof OpsError ? new OpsError('input', `invalid silence: ${cause.message}`, { cause }) : cause;
  }
  const old = request.id ? silences.get(request.id) : undefined;
  if (request.id && !old) throw new OpsError('missing', 'silence not found');
  if (old && canUpdateSilence(old, wanted, nowMs)) {
    const changed: Silence = { ...wanted, id: old.id, updatedAtMs: nowMs };
    checkSize(changed, limits);
    return { id: old.id, created: false, write: [changed] };
  }
  checkCount(silences.size, limits);
  const created: Silence = { ...wanted, id: newId, startsAtMs: Math.max(wanted.startsAtMs, nowMs), updatedAtMs: nowMs };
  checkSize(created, limits);
  const expired = old && expireSilence(old, nowMs);
  return { id: newId, created: true, write: expired ? [expired, created] : [created] };
}

/** True where the change says nothing new about the past. One that ends at this very moment may still be made longer. */
export function canUpdateSilence(old: Silence, wanted: Pick<Silence, 'matcherSets' | 'startsAtMs' | 'endsAtMs'>, nowMs: number): boolean {
  if (!sameMatchers(old, wanted)) return false;
  switch (old.endsAtMs === nowMs ? 'active' : silenceState(old, nowMs)) {
    case 'active': // the start is compared in seconds: clients drop the rest
      return Math.floor(old.startsAtMs / 1_000) === Math.floor(wanted.startsAtMs / 1_000) && wanted.endsAtMs >= nowMs;
    case 'pending':
      return wanted.startsAtMs >= nowMs;
    case 'expired':
      return false;
  }
}

function sameMatchers(a: Pick<Silence, 'matcherSets'>, b: Pick<Silence, 'matcherSets'>): boolean {
  const plain = ({ matcherSets }: Pick<Silence, 'matcherSets'>) =>
    JSON.stringify(matcherSets.map((matchers) => matchers.map(({ name, op, value }) => [name, op, value])));
  return plain(a) === plain(b);
}

/** The silence ended now, or undefined where it has ended already. A pending one starts and ends now. */
export function expireSilence(silence: Silence, nowMs: number): Silence | undefined {
  const state = silenceState(silence, nowMs);
  if (state === 'expired') return undefined;
  return { ...silence, startsAtMs: state === 'pending' ? nowMs : silence.startsAtMs, endsAtMs: nowMs, updatedAtMs: nowMs };
}

function checkCount(count: number, { maxSilences = 0 }: SilenceLimits): void {
  if (maxSilences > 0 && count + 1 > maxSilences) {
    throw new OpsError('limit', `exceeded maximum number of silences: ${count} (limit: ${maxSilences})`);
  }
}

function checkSize(silence: Silence, { maxSilenceSizeBytes = 0 }: SilenceLimits): void {
  const size = Buffer.byteLength(JSON.stringify(silence));
  if (maxSilenceSizeBytes > 0 && size > maxSilenceSizeBytes) {
    throw new OpsError('limit', `silence exceeded maximum size: ${size} bytes (limit: ${maxSilenceSizeBytes} bytes)`);
  }
}
