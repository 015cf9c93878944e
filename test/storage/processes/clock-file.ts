import { appendFileSync, closeSync, fstatSync, openSync, readSync } from 'node:fs';
import type { Clock } from '#core/time.ts';

/**
 * A clock that processes share by a file: it goes as the machine's does, and leaps whenever its owner says so. The file holds every
 * leap as two float64: the machine's time, and what this clock showed from then on.
 */
export interface SharedClock {
  readonly now: Clock;
  /** What it showed when the machine's clock stood at a time. */
  shownAt(machineMs: number): number;
  close(): void;
}

const LEAP_BYTES = 16;

/** Sets the clock of that file, which need not be there. */
export function setClock(path: string, shownMs: number): void {
  appendFileSync(path, new Uint8Array(Float64Array.of(Date.now(), shownMs).buffer));
}

/** Reads the clock of a file; `skewMs` is how far this process is ahead of it. */
export function openClock(path: string, skewMs = 0): SharedClock {
  const file = openSync(path, 'r');
  const readLeaps = () => {
    const bytes = new Uint8Array(fstatSync(file).size);
    readSync(file, bytes, 0, bytes.length, 0);
    return new Float64Array(bytes.buffer, 0, Math.floor(bytes.length / LEAP_BYTES) * 2);
  };
  const shownAt = (machineMs: number) => {
    const leaps = readLeaps();
    let last = 0;
    for (let i = 2; i < leaps.length && (leaps[i] as number) <= machineMs; i += 2) last = i;
    return Math.floor((leaps[last + 1] as number) + machineMs - (leaps[last] as number) + skewMs);
  };
  return { now: () => shownAt(Date.now()), shownAt, close: () => closeSync(file) };
}
