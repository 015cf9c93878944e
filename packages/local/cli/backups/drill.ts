import { randomBytes } from 'node:crypto';
import { parseArgs } from 'node:util';
import { type DrillReport, signReport } from '#backups/drills/drill-report.ts';
import { runDrill } from '#backups/drills/run-drill.ts';
import { findSnapshot } from '#backups/repository/snapshots.ts';
import { formatDuration, parseDuration } from '#core/duration.ts';
import { DAY_MS } from '#core/time.ts';
import { openLocalPlaces } from '#local/backup/places.ts';
import type { Command } from '#local/cli/command.ts';
import { createJobDisplay, formatBytes, formatCount } from './job-display.ts';
import { openNamedRepository } from './open-repository.ts';

const SHOWN = 20;

/** `quarterdeck drill --repo REPO`: proves that a snapshot can be restored. */
export const drillCommand: Command = {
  help: `Usage: quarterdeck drill [SNAPSHOT] --repo REPO [--recovery-time DURATION] [--recovery-point DURATION] [--json]

Restores the snapshot (the latest, if none is named) to a place of its own, compares everything that came of it with the snapshot, measures how
long that took and how old the data was, and cleans up. A report that it signs says what it found: --json prints it with its signature.
  --recovery-time DURATION   fails where it takes longer, such as 1h30m
  --recovery-point DURATION  fails where the data is older
Ends with 0 when the snapshot restores as it was, 1 when not, 2 when misused.`,
  async run(args) {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        repo: { type: 'string' },
        'recovery-time': { type: 'string' },
        'recovery-point': { type: 'string' },
        json: { type: 'boolean', default: false },
      },
    });
    const { repo, 'recovery-time': time, 'recovery-point': point } = values;
    const objectives = {
      recoveryTimeMs: time === undefined ? undefined : parseDuration(time),
      recoveryPointMs: point === undefined ? undefined : parseDuration(point),
    };
    const isWrong = (text: string | undefined, ms: number | undefined) => text !== undefined && ms === undefined;
    if (
      repo === undefined ||
      positionals.length > 1 ||
      isWrong(time, objectives.recoveryTimeMs) ||
      isWrong(point, objectives.recoveryPointMs)
    ) {
      console.error('quarterdeck drill takes --repo REPO, at most one SNAPSHOT, and durations such as 1h30m; --help tells more');
      return 2;
    }
    const places = openLocalPlaces();
    const { repository } = await openNamedRepository(places, repo);
    const snapshot = await findSnapshot(repository, positionals[0] ?? 'latest');
    const id = randomBytes(8).toString('hex');
    const scratch = await places.openScratch(snapshot.source.name, id);
    const display = createJobDisplay(process.stderr, Date.now);
    const deps = { clock: Date.now, ask: noWebhook, onPhase: (phase: string) => display.show(scratch.name, () => phase) };
    try {
      const result = await runDrill(deps, {
        id,
        drill: 'command',
        repository,
        snapshot,
        scratch,
        checks: [],
        objectives,
        timeoutMs: DAY_MS,
      });
      display.clear();
      if (result.state !== 'done') throw new RangeError('a drill without an end of time was interrupted');
      const { report } = result;
      console.log(values.json ? JSON.stringify({ report, ...signReport(repository.secrets, report) }, null, 2) : describe(report));
      return report.status === 'SUCCESSFUL' ? 0 : 1;
    } catch (error) {
      await scratch.remove();
      throw error;
    } finally {
      display.clear();
    }
  },
};

async function noWebhook() {
  return { ok: false, sentence: 'the command line asks no webhooks' };
}

function describe({ status, sentence, snapshot, restored, compared, recoveryTimeMs, recoveryPointMs }: DrillReport): string {
  return [
    `${status}: ${sentence}`,
    `  snapshot ${snapshot.slice(0, 12)}: ${formatCount(restored.items)} items, ${formatBytes(restored.bytes)} restored, ${formatBytes(compared.bytes)} compared`,
    `  recovery took ${formatDuration(recoveryTimeMs)}; the data was ${formatDuration(recoveryPointMs)} old`,
    ...restored.missing.slice(0, SHOWN).map(({ path, message }) => `  not restored: ${path}: ${message}`),
    ...compared.differences.slice(0, SHOWN).map(({ path, message }) => `  not as it was: ${path}: ${message}`),
  ].join('\n');
}
