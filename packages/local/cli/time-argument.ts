import { parseDuration } from '#core/duration.ts';
import { OpsError } from '#core/errors.ts';

/** What a time argument may be, for help and messages. */
export const timeForms = 'an ISO time (2026-11-23T10:00:00Z), seconds since 1970, now, or how long ago (1h30m)';

/** The time that an argument names, in ms; `input` naming the option otherwise. */
export function parseTimeArgument(option: string, text: string, nowMs: number): number {
  if (text === 'now') return nowMs;
  if (/^-?\d+(?:\.\d+)?$/.test(text)) return Number(text) * 1_000;
  const agoMs = parseDuration(text.replace(/^-/, ''));
  if (agoMs !== undefined) return nowMs - agoMs;
  const timeMs = /^\d{4}-/.test(text) ? Date.parse(text) : Number.NaN;
  if (!Number.isNaN(timeMs)) return timeMs;
  throw new OpsError('input', `--${option} takes ${timeForms}; got ${JSON.stringify(text.slice(0, 60))}`);
}

/** The step that an argument names, in seconds: a duration, or seconds. */
export function parseStepArgument(text: string): number {
  const seconds = /^\d+(?:\.\d+)?$/.test(text) ? Number(text) : (parseDuration(text) ?? 0) / 1_000;
  if (seconds > 0) return seconds;
  throw new OpsError('input', `--step takes a duration such as 30s or 5m, or seconds; got ${JSON.stringify(text.slice(0, 60))}`);
}
