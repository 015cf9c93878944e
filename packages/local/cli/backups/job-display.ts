import { stripVTControlCharacters } from 'node:util';
import type { ProgressStream } from '#local/cli/progress-display.ts';

/** Shows how far a job has come whose end is not known before. */
export interface JobDisplay {
  /** `place` is where it is; `describe` says how far, and is called only when it is shown. */
  show(place: string, describe: () => string): void;
  /** Takes the line away, so that something else can be printed. */
  clear(): void;
}

const DRAW_EVERY_MS = 80;
const PRINT_EVERY_MS = 10_000;

/** A line that is drawn over itself on a terminal; elsewhere one every ten seconds. */
export function createJobDisplay(stream: ProgressStream, now: () => number): JobDisplay {
  let shownAtMs = stream.isTTY ? Number.NEGATIVE_INFINITY : now();
  let isDrawn = false;
  return {
    show(place, describe) {
      const nowMs = now();
      if (nowMs - shownAtMs < (stream.isTTY ? DRAW_EVERY_MS : PRINT_EVERY_MS)) return;
      shownAtMs = nowMs;
      const what = describe();
      if (!stream.isTTY) {
        stream.write(`${what}\n`);
        return;
      }
      const room = (stream.columns ?? 80) - 3 - what.length;
      // Names can hold what terminals take for commands.
      const name = stripVTControlCharacters(place.toWellFormed()).replace(/\p{Cc}/gu, '?');
      const shown = name.length <= room ? name : room > 4 ? `\u2026${name.slice(name.length - room + 1)}` : '';
      stream.write(`\r${what}  ${shown}\u001b[K`);
      isDrawn = true;
    },
    clear() {
      if (isDrawn) stream.write('\r\u001b[K');
      isDrawn = false;
    },
  };
}

/** In binary units, three digits. */
export function formatBytes(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${unit === 0 ? Math.round(value) : value.toPrecision(3)} ${units[unit]}`;
}

export function formatCount(count: number): string {
  return count.toLocaleString('en-US');
}
