import { setImmediate } from 'node:timers/promises';
import { expect } from 'vitest';
import type { Ask, Told } from './whole-api.ts';

/** The text so many times. */
export function times(count: number, text: string): string {
  return text.repeat(count);
}

/** So many items, joined. */
export function list(count: number, item: (i: number) => string, separator = ','): string {
  return Array.from({ length: count }, (_, i) => item(i)).join(separator);
}

/** A posted form. */
export function form(fields: Record<string, string>): Ask {
  return { body: new URLSearchParams(fields) };
}

/** Status, error type and error of a refusal in Prometheus' form. */
export function refusal({ status, text }: Told): [number, string, string] {
  const { status: word, errorType, error } = JSON.parse(text) as Record<string, string>;
  expect(word).toBe('error');
  return [status, errorType as string, error as string];
}

/** What comes back, and how often others had their turn meanwhile. */
export async function countTurns(asked: Promise<Told>): Promise<{ told: Told; turns: number }> {
  let isDone = false;
  const done = asked.finally(() => {
    isDone = true;
  });
  let turns = 0;
  for (; !isDone; turns++) await setImmediate();
  return { told: await done, turns };
}
