import { createHash } from 'node:crypto';
import { backupEventTypes, JobAsked } from '#model/backup-events.ts';
import type { BusEvent } from '#ports/bus.ts';
import type { Job, JobKind, JobOutcome, JobRun } from './job.ts';

const ENDINGS: Readonly<Record<JobKind, readonly [string | undefined, string]>> = {
  snapshot: ['Snapshot Completed', 'Backup Failed'],
  copy: ['Snapshots Copied', 'Copy Failed'],
  forget: ['Snapshots Forgotten', 'Forget Failed'],
  check: ['Check Completed', 'Check Failed'],
  drill: ['Drill Completed', 'Drill Failed'],
  restore: ['Restore Completed', 'Restore Failed'],
  // One that goes well each minute is no news, and one that does not is news once.
  capture: [undefined, 'Capture Failed'],
};

/** What is told of a run that has ended; `before`: how the one before it did. */
export function endedEvents({ kind, name }: Job, outcome: JobOutcome, before: JobOutcome | undefined, tenant: string): BusEvent[] {
  const { id: run, ok, sentence, startedAtMs, endedAtMs, result } = outcome;
  const detailType = ENDINGS[kind][ok ? 0 : 1];
  if (detailType === undefined || (kind === 'capture' && before?.ok === false)) return [];
  const more = kind === 'snapshot' && ok ? pickSnapshot(result) : {};
  return [event(detailType, { tenant, atMs: endedAtMs, key: [kind, name, run, 'ended'] }, { name, run, sentence, startedAtMs, ...more })];
}

/** What is told of a run that goes on. */
export function progressedEvent(
  { kind, name }: Job,
  { id: run, startedAtMs }: JobRun,
  sentence: string,
  atMs: number,
  tenant: string,
): BusEvent {
  return event(
    'Backup Progressed',
    { tenant, atMs, key: [kind, name, run, String(atMs)] },
    { name, run, sentence, startedAtMs, job: kind },
  );
}

/** What starts the function of a job that somebody asked for. */
export function askedEvent(
  { kind, name }: Pick<Job, 'kind' | 'name'>,
  run: Pick<JobRun, 'id' | 'nextMs'>,
  atMs: number,
  tenant: string,
): BusEvent {
  const id = idOf([kind, name, run.id, String(run.nextMs), 'asked']);
  const detail = JobAsked.parse({ id, tenant, at: new Date(atMs).toISOString(), job: kind, name, run: run.id });
  return { source: 'quarterdeck.backups', detailType: 'Job Asked', detail };
}

function idOf(key: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(key)).digest('hex').slice(0, 32);
}

function pickSnapshot(result: unknown): { readonly snapshot: string; readonly faults: number } {
  const { snapshot, faultCount } = result as { snapshot: string; faultCount: number };
  return { snapshot, faults: faultCount };
}

interface About {
  readonly tenant: string;
  readonly atMs: number;
  /** The same for the same event. */
  readonly key: readonly string[];
}

interface Told {
  readonly name: string;
  readonly run: string;
  readonly sentence: string;
  readonly startedAtMs: number;
  readonly job?: string | undefined;
  readonly snapshot?: string | undefined;
  readonly faults?: number | undefined;
}

function event(detailType: string, { tenant, atMs, key }: About, { startedAtMs, ...rest }: Told): BusEvent {
  const type = backupEventTypes.find((each) => each.detailType === detailType);
  if (!type) throw new RangeError(`no event ${detailType}`);
  const id = idOf(key);
  const at = new Date(atMs).toISOString();
  const detail = type.schema.parse({ id, tenant, at, startedAt: new Date(startedAtMs).toISOString(), ...rest });
  return { source: type.source, detailType, detail };
}
