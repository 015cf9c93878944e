import { isOpsError } from '#core/errors.ts';
import { MINUTE_MS, SECOND_MS } from '#core/time.ts';
import type { ProgressStream } from './progress-display.ts';
import { plain, type ReleaseAnswer } from './release-text.ts';

export interface WaitDeps {
  readonly now: () => number;
  readonly sleep: (ms: number) => Promise<unknown>;
  readonly look: () => Promise<ReleaseAnswer>;
  readonly stream: ProgressStream;
}

/** 0 promoted; 1 rolled back, cancelled, or not to be asked; 3 still under way when the time was up. */
export interface Waited {
  readonly code: 0 | 1 | 3;
  readonly release: ReleaseAnswer | undefined;
}

const EVERY_MS = 2 * SECOND_MS;
/** A server that is being started again must not fail a pipeline. */
const PATIENCE_MS = MINUTE_MS;

/** Looks at a release until it has ended, and shows each change: one line over itself on a terminal, else a line each. */
export async function waitForRelease({ now, sleep, look, stream }: WaitDeps, timeoutMs: number): Promise<Waited> {
  const untilMs = now() + timeoutMs;
  let release: ReleaseAnswer | undefined;
  let shown = '';
  let silentSinceMs: number | undefined;
  const show = (line: string, isLast = false) => {
    const news = stream.isTTY ? line : withoutSeconds(line);
    if (news === shown && !isLast) return;
    shown = news;
    const width = (stream.columns ?? 80) - 1;
    stream.write(stream.isTTY ? `\r${line.slice(0, width)}\u001b[K${isLast ? '\n' : ''}` : `${line}\n`);
  };
  for (;;) {
    try {
      release = await look();
      silentSinceMs = undefined;
      const isOver = ['promoted', 'rolled-back', 'cancelled'].includes(release.state);
      show(describe(release), isOver);
      if (isOver) return { code: release.state === 'promoted' ? 0 : 1, release };
    } catch (error) {
      if (!isOpsError(error, 'unavailable')) throw error;
      silentSinceMs ??= now();
      if (now() - silentSinceMs >= PATIENCE_MS) throw error;
      show(`no answer: ${plain(error.message)}`);
    }
    if (now() >= untilMs) {
      show('the time is up, and the release is still under way', true);
      return { code: 3, release };
    }
    await sleep(Math.min(EVERY_MS, Math.max(0, untilMs - now())));
  }
}

/** That time passes is no news in a pipeline's log. */
function withoutSeconds(line: string): string {
  return line.replace(/\bheld \d+ of \d+ s\b|\bagain in \d+ s\b/g, '');
}

function describe({ application, version, environment, state, weight, sentence }: ReleaseAnswer): string {
  return plain(`${application} ${version} in ${environment}: ${state}, ${weight} %; ${sentence}`);
}
