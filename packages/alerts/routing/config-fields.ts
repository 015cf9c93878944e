import * as z from 'zod';
import { quoteGo } from '#alerts/go-quote.ts';
import { parseDuration } from '#core/duration.ts';
import { OpsError } from '#core/errors.ts';
import { createSecret, SECRET_SIGN } from './secret.ts';

/** The building blocks of Alertmanager's settings. Every value arrives as a text, a list or a mapping; messages are Alertmanager's. */

/** Adds a fault at the value that is checked. */
export function refuse(context: z.core.$RefinementCtx, message: string): void {
  context.addIssue({ code: 'custom', message });
}

function typed(type: string) {
  return {
    error: (issue: { code?: string | undefined; input?: unknown }) =>
      issue.code === 'invalid_type' ? cannotUnmarshal(issue.input, type) : undefined,
  };
}

function cannotUnmarshal(input: unknown, type: string): string {
  if (Array.isArray(input)) return `cannot unmarshal !!seq into ${type}`;
  if (typeof input === 'object' && input !== null) return `cannot unmarshal !!map into ${type}`;
  const text = String(input);
  return `cannot unmarshal !!str \`${text.length > 10 ? `${text.slice(0, 7)}...` : text}\` into ${type}`;
}

/**
 * A mapping of exactly these fields; `type` is what Alertmanager calls it. A field without a value counts as left out.
 */
export function settings<T extends z.ZodRawShape>(type: string, shape: T) {
  const object = z.strictObject(shape, {
    error: (issue) => (issue.code === 'unrecognized_keys' ? type : typed(type).error(issue)),
  });
  const dropEmpty = (value: unknown) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).filter(([name, field]) => field !== null || !Object.hasOwn(shape, name)))
      : value;
  return z.preprocess(dropEmpty, object);
}

/** What each field of a mapping is where it is left out; those that must be there are left out here too. */
export function defaultsOf(schema: z.core.$ZodType): Readonly<Record<string, unknown>> {
  const fields = Object.entries(findShape(schema) ?? {}).flatMap(([name, field]) => {
    const parsed = z.safeParse(field, undefined);
    return parsed.success ? [[name, parsed.data] as const] : [];
  });
  return Object.fromEntries(fields);
}

/** The fields of a mapping behind the checks and changes that were put around it. */
function findShape(schema: z.core.$ZodType): z.core.$ZodShape | undefined {
  const { def } = (schema as z.core.$ZodTypes)._zod;
  if (def.type === 'object') return def.shape;
  return def.type === 'pipe' ? (findShape(def.in) ?? findShape(def.out)) : undefined;
}

/** A check of several rules: the first that holds is the fault. */
export function faults<T>(...rules: readonly (readonly [(value: T) => unknown, string | ((value: T) => string)])[]) {
  return (value: T, context: z.core.$RefinementCtx): void => {
    const hit = rules.find(([isFault]) => isFault(value));
    if (hit) refuse(context, typeof hit[1] === 'string' ? hit[1] : hit[1](value));
  };
}

function convert<T>(type: string, read: (text: string) => T | undefined) {
  return z.string(typed(type)).transform((text, context) => {
    const value = read(text);
    if (value !== undefined) return value;
    context.addIssue({ code: 'invalid_type', expected: 'custom', input: text, message: cannotUnmarshal(text, type) });
    return z.NEVER;
  });
}

/** Throws turned into a fault of the field. */
function attempt<T>(read: (text: string) => T) {
  return z.string(typed('string')).transform((text, context) => {
    try {
      return read(text);
    } catch (error) {
      if (!(error instanceof OpsError)) throw error;
      refuse(context, error.message);
      return z.NEVER;
    }
  });
}

/** A text; left out it is `fallback`. */
export function text(fallback = '') {
  return z.string(typed('string')).default(fallback);
}

const yes = new Set(['true', 'True', 'TRUE', 'y', 'Y', 'yes', 'Yes', 'YES', 'on', 'On', 'ON']);
const no = new Set(['false', 'False', 'FALSE', 'n', 'N', 'no', 'No', 'NO', 'off', 'Off', 'OFF']);
const bool = () => convert('bool', (value) => (yes.has(value) ? true : no.has(value) ? false : undefined));

/** True or false in any of YAML 1.1's words. */
export function flag(fallback = false) {
  return bool().default(fallback);
}

/** True, false or nothing. */
export function optionalFlag() {
  return bool().optional();
}

/** A whole number; 0 where it is left out. */
export function integer(type: 'uint64' | 'int' | 'int64' = 'uint64') {
  const form = type !== 'uint64' ? /^[-+]?\d{1,15}$/ : /^\+?\d{1,15}$/;
  return convert(type, (value) => (form.test(value) ? Number(value) : undefined)).default(0);
}

/** A list; `type` is what Alertmanager calls its entries. */
export function list<T extends z.ZodType>(item: T, type: string) {
  return z.array(item, typed(`[]${type}`));
}

/** A list of texts; an entry without a value is the empty text. */
export function texts() {
  return list(
    z.preprocess((value) => value ?? '', z.string(typed('string'))),
    'string',
  ).default([]);
}

/** Texts by name; one without a value is the empty text. */
export function textMap() {
  return z
    .record(
      z.string(),
      z.preprocess((value) => value ?? '', z.string(typed('string'))),
      typed('map[string]string'),
    )
    .default({});
}

/** Anything, as it is. */
export function anything() {
  return z.unknown().optional();
}

/** Any mapping. */
export function anyMap() {
  return z.record(z.string(), z.unknown(), typed('map[string]interface {}')).default({});
}

/** A text that is never shown; the empty one counts as left out. */
export function secret() {
  return z
    .string(typed('config.Secret'))
    .transform((value) => (value === '' ? undefined : createSecret(value)))
    .optional();
}

/** Milliseconds of a duration in Prometheus' form. */
export function duration() {
  return attempt(readDuration);
}

function readDuration(value: string): number {
  if (value === '') throw new OpsError('input', 'empty duration string');
  const ms = parseDuration(value);
  if (ms !== undefined) return ms;
  const unit = /^(?:\d+(?:ms|[ywdhms]))*?\d+(\D+)/.exec(value)?.[1];
  if (unit !== undefined && !/^(?:ms|[ywdhms])$/.test(unit)) {
    throw new OpsError('input', `unknown unit ${quoteGo(unit)} in duration ${quoteGo(value)}`);
  }
  throw new OpsError('input', `not a valid duration string: ${quoteGo(value)}`);
}

const goUnits: Readonly<Record<string, number>> = { ns: 1e-6, us: 1e-3, µs: 1e-3, μs: 1e-3, ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };
const goParts = /(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h)/gy;

/** Milliseconds of a duration in Go's form (`1h`, `1.5s`, `300ms`); without a unit, of nanoseconds. */
export function goDuration(fallbackMs = 0) {
  return convert('time.Duration', parseGoDuration).default(fallbackMs);
}

function parseGoDuration(value: string): number | undefined {
  if (/^[-+]?\d{1,18}$/.test(value)) return Number(value) / 1e6;
  const sign = value.startsWith('-') ? -1 : 1;
  const digits = value.replace(/^[-+]/, '');
  let ms = 0;
  let read = 0;
  for (const [whole, count, unit] of digits.matchAll(goParts)) {
    ms += Number(count) * (goUnits[unit as string] as number);
    read += whole.length;
  }
  return read === digits.length && read > 0 ? sign * ms : undefined;
}

const urlParts = /^(?:([a-zA-Z][a-zA-Z0-9+.-]*):)?(?:\/\/([^/?#]*))?/;

/** The text where it is a URL that can be called; else throws `input`, without the text where `shown` says so. */
export function checkUrl(value: string, shown = quoteGo(value)): string {
  const [, scheme = '', authority = ''] = urlParts.exec(value) as RegExpExecArray;
  if (!/^https?$/i.test(scheme)) throw new OpsError('input', `unsupported scheme ${quoteGo(scheme.toLowerCase())} for URL`);
  if (authority.replace(/^.*@/, '') === '') throw new OpsError('input', 'missing host for URL');
  if (!URL.canParse(value)) throw new OpsError('input', `parse ${shown}: invalid URL`);
  return value;
}

/** An address that may be shown. */
export function url() {
  return attempt(checkUrl).optional();
}

/** An address that is itself the key to what it leads to (a webhook). */
export function secretUrl() {
  return attempt((value) => createSecret(value === SECRET_SIGN ? value : checkUrl(value, SECRET_SIGN))).optional();
}

/** A network address, `host:port`. */
export interface HostPort {
  readonly host: string;
  readonly port: string;
}

/** `host:port`, with brackets around an IPv6 address; the empty text counts as left out. */
export function hostPort() {
  return attempt(parseHostPort).optional();
}

/** Reads `host:port`; undefined for the empty text, `input` in Go's words. */
export function parseHostPort(value: string): HostPort | undefined {
  if (value === '') return undefined;
  const bracketed = /^\[([^[\]]*)\]:([^:[\]]*)$/.exec(value);
  const plain = /^([^:[\]]*):([^:[\]]*)$/.exec(value);
  const [, host, port] = bracketed ?? plain ?? [];
  if (host === undefined || port === undefined) {
    const fault = value.includes(':') && !/\]$/.test(value) ? 'too many colons in address' : 'missing port in address';
    throw new OpsError('input', `address ${value}: ${fault}`);
  }
  if (port === '') throw new OpsError('input', `address ${quoteGo(value)}: port cannot be empty`);
  return { host, port };
}
