import { stripVTControlCharacters } from 'node:util';
import type { FileProgress } from './import-file.ts';

/** What a terminal is to a display. */
export interface ProgressStream {
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
  write(text: string): unknown;
}

/** Shows how far one file after another has come. */
export interface ProgressDisplay {
  show(file: string, progress: FileProgress): void;
  /** Takes the bar away, so that something else can be printed. */
  clear(): void;
}

const DRAW_EVERY_MS = 80;
const PRINT_EVERY_MS = 10_000;
const BAR_WIDTH = 24;
const EIGHTHS = ['', '\u258f', '\u258e', '\u258d', '\u258c', '\u258b', '\u258a', '\u2589'];

/** A bar that is drawn over itself on a terminal; elsewhere a line for each phase and every ten seconds. */
export function createProgressDisplay(stream: ProgressStream, now: () => number): ProgressDisplay {
  let phase = '';
  let startedAt = { ms: 0, bytes: 0 };
  let shownAtMs = Number.NEGATIVE_INFINITY;
  let isDrawn = false;
  const clear = () => {
    if (isDrawn) stream.write('\r\u001b[K');
    isDrawn = false;
  };
  return {
    show(file, progress) {
      const nowMs = now();
      const isNew = phase !== `${file}/${progress.phase}`;
      if (isNew) {
        phase = `${file}/${progress.phase}`;
        startedAt = { ms: nowMs, bytes: progress.bytes };
      }
      const isDue = nowMs - shownAtMs >= (stream.isTTY ? DRAW_EVERY_MS : PRINT_EVERY_MS);
      if (!isNew && !isDue) return;
      shownAtMs = nowMs;
      const seconds = (nowMs - startedAt.ms) / 1_000;
      const perSecond = seconds > 0.5 ? (progress.bytes - startedAt.bytes) / seconds : undefined;
      if (!stream.isTTY) {
        stream.write(`${file}: ${progress.phase}, ${percentOf(progress)} % of ${formatBytes(progress.totalBytes)}\n`);
        return;
      }
      stream.write(`\r${drawBar(file, progress, perSecond, stream.columns ?? 80)}\u001b[K`);
      isDrawn = true;
    },
    clear,
  };
}

/** One line of at most `columns` columns less one, so that no terminal wraps it. */
function drawBar(file: string, progress: FileProgress, perSecond: number | undefined, columns: number): string {
  const eighths = Math.round(shareOf(progress) * BAR_WIDTH * 8);
  const full = '\u2588'.repeat(Math.floor(eighths / 8)) + (EIGHTHS[eighths % 8] as string);
  const bar = `\u2595${full.padEnd(BAR_WIDTH)}\u258f`;
  const percent = `${String(percentOf(progress)).padStart(3)} %`;
  const bytes = `${formatBytes(progress.bytes)} of ${formatBytes(progress.totalBytes)}`;
  const speed = perSecond === undefined ? '' : `${formatBytes(perSecond)}/s`;
  const parts = [progress.phase.padEnd(9), bar, percent, bytes, speed].filter((part) => part !== '');
  // The least telling goes first where there is no room.
  for (const least of [5, 4, 1]) {
    while (parts.length >= least && parts.length > 1 && parts.join(' ').length + Math.min(file.length, 12) + 2 > columns - 1) parts.pop();
  }
  const rest = parts.join(' ');
  return `${shorten(stripVTControlCharacters(file), Math.max(0, columns - 2 - rest.length))} ${rest}`.slice(0, columns - 1);
}

function shareOf({ bytes, totalBytes }: FileProgress): number {
  return totalBytes > 0 ? Math.min(1, bytes / totalBytes) : 1;
}

function percentOf(progress: FileProgress): number {
  return Math.floor(shareOf(progress) * 100);
}

/** The end of a path tells more than its beginning. */
function shorten(text: string, width: number): string {
  if (text.length <= width) return text;
  return width > 1 ? `\u2026${text.slice(text.length - width + 1)}` : '';
}

/** In binary units, three digits. */
function formatBytes(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB'];
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${unit === 0 ? Math.round(value) : value.toPrecision(3)} ${units[unit]}`;
}
