import { BackupsFile } from '#backups/jobs/backups-file.ts';
import type { Job, JobKind, JobState } from '#backups/jobs/job.ts';
import { endedEvent, progressedEvent } from '#backups/jobs/job-events.ts';
import { readJob } from '#backups/jobs/job-store.ts';
import { performCheck } from '#backups/jobs/perform-check.ts';
import { type DrillJobDeps, performDrill } from '#backups/jobs/perform-drill.ts';
import { performForget } from '#backups/jobs/perform-forget.ts';
import { performRestore } from '#backups/jobs/perform-restore.ts';
import { performSnapshot } from '#backups/jobs/perform-snapshot.ts';
import { type JobReport, type RunJobsDeps, runJobs } from '#backups/jobs/run-jobs.ts';
import { createRepository } from '#backups/repository/create-repository.ts';
import { openRepository } from '#backups/repository/open-repository.ts';
import type { Repository } from '#backups/repository/repository.ts';
import { listSnapshots, type Snapshot } from '#backups/repository/snapshots.ts';
import type { Blobs } from '#ports/blobs.ts';
import { createMemoryPlaces, type MemoryPlaces, type MemoryPlacesOptions } from '#ports/memory/memory-backup-places.ts';
import { createMemoryTable, type MemoryTable } from '#ports/memory/memory-table.ts';
import type { Table } from '#ports/table.ts';
import { file, noise, type Things, unlock } from '#test/backups/kit.ts';
import { seededRandom } from '#test/storage/seeded-random.ts';

const START = Date.parse('2026-11-27T12:00:00Z');
const STORE = 's3://acme-backups/main';
export const SOURCE = 's3://shop/data';

/** What a process is given that may be another than the next one's. */
export interface ProcessOptions extends MemoryPlacesOptions {
  /** Calls of the clock of what is left until time is up; absent, there is no end. */
  readonly turns?: number;
  readonly table?: Table;
}

export interface JobBench {
  readonly clock: { nowMs: number };
  readonly table: MemoryTable;
  readonly places: MemoryPlaces;
  readonly things: Things;
  readonly file: BackupsFile;
  /** Runs a job once, whatever its schedule says, as a process of its own. */
  run(kind: JobKind, name: string, options?: ProcessOptions): Promise<JobReport | undefined>;
  /** The same, again and again, until it ends. */
  runToEnd(kind: JobKind, name: string, options?: () => ProcessOptions): Promise<JobReport>;
  stateOf(kind: JobKind, name: string): Promise<JobState | undefined>;
  /** Types of the events that were told, in the order of the outbox. */
  events(): Promise<string[]>;
  open(): Promise<Repository>;
  snapshots(): Promise<Snapshot[]>;
}

export const FILE = {
  repositories: { main: { at: STORE } },
  backups: [{ name: 'shop', source: SOURCE, repository: 'main', schedule: 'rate(1 hour)', retention: { last: 1 } }],
  drills: [{ name: 'weekly', backup: 'shop', schedule: 'rate(7 days)' }],
};

/** For suites that go through every call. */
export const FEW = 3;

/** Jobs over memory: a repository that a passphrase opens at once, a source of some files, and processes that may meet faults. */
export async function createJobBench(written: object = FILE, files = 12): Promise<JobBench> {
  const random = seededRandom(1);
  const clock = { nowMs: START };
  const now = () => clock.nowMs;
  const randomBytes = (size: number) => Buffer.from(Array.from({ length: size }, () => Math.floor(random() * 256)));
  const table = createMemoryTable({ clock: now });
  const places = createMemoryPlaces({ clock: now });
  const backupsFile = BackupsFile.parse(written);
  const { blobs } = await places.openStore(STORE, { create: true });
  const chunker = { minBytes: 64, averageBytes: 256, maxBytes: 1_024 };
  await createRepository({ blobs, randomBytes, clock: now }, { unlock, chunker, scryptLogN: 1 });
  const things: Things = new Map([
    ['a', {}],
    ...Array.from(
      { length: files },
      (_, i) => [`a/${String(i).padStart(2, '0')}`, file(noise(files === FEW ? 400 : 3_000, i + 1))] as const,
    ),
  ]);
  places.contents.set(SOURCE, things);
  let ids = 0;

  const open = () => openRepository({ blobs: storeOf(places), randomBytes }, { unlock });

  const run: JobBench['run'] = async (kind, name, options = {}) => {
    const processTable = options.table ?? table;
    let turns = options.turns ?? Number.POSITIVE_INFINITY;
    const deps: DrillJobDeps = {
      ...{ table: processTable, clock: now, randomBytes, random, host: 'quarterdeck', file: backupsFile },
      places: createMemoryPlaces({ clock: now, ...options }, places),
      unlockOf: async () => unlock,
      remainingMs: () => (turns-- > 0 ? Number.POSITIVE_INFINITY : 0),
      ask: async () => ({ ok: true, sentence: 'fine' }),
    };
    const perform: Readonly<Record<string, RunJobsDeps['perform']>> = {
      snapshot: (_, each) => performSnapshot(deps, name, each),
      forget: () => performForget(deps, name),
      check: () => performCheck(deps, name),
      drill: (_, each) => performDrill(deps, name, each),
      restore: (_, each, keep) => performRestore(deps, each, keep),
    };
    const job: Job = { kind, name, schedule: kind === 'restore' ? 'at(1970-01-01T00:00:00)' : 'rate(1 hour)' };
    const [report] = await runJobs(
      {
        ...{ table: processTable, now, newId: () => `id${++ids}`, perform: perform[kind] as RunJobsDeps['perform'] },
        eventsOf: (each, outcome) => [endedEvent(each, outcome, 'default')],
        progressOf: (each, of, sentence) => [progressedEvent(each, of, sentence, now(), 'default')],
      },
      [job],
      name,
    );
    return report;
  };

  return {
    ...{ clock, table, places, things, file: backupsFile, run },
    async runToEnd(kind, name, options = () => ({})) {
      for (let calls = 0; calls < 200; calls++) {
        const report = await run(kind, name, options());
        if (report && (report.state === 'done' || report.state === 'failed')) return report;
        clock.nowMs += 1_000;
      }
      throw new Error(`${kind} ${name} does not end`);
    },
    stateOf: async (kind, name) => (await readJob(table, { kind, name })).state,
    events: async () => (await table.query({ pk: 'outbox' })).items.map(({ event }) => JSON.parse(String(event)).detailType),
    open,
    snapshots: async () => listSnapshots(await open()),
  };
}

export function storeOf({ stores }: MemoryPlaces): Blobs {
  const store = stores.get(STORE);
  if (!store) throw new Error('there is no store');
  return store;
}

/** Changes one byte of an object. */
export async function damage(places: MemoryPlaces, prefix: string, at = -20): Promise<string> {
  const blobs = storeOf(places);
  const { entries } = await blobs.list(prefix);
  const key = entries[0]?.key;
  if (key === undefined) throw new Error(`there is nothing below ${prefix}`);
  const bytes = Buffer.from(await blobs.get(key));
  const index = at < 0 ? bytes.length + at : at;
  bytes[index] = (bytes[index] as number) ^ 1;
  await blobs.delete([key]);
  await blobs.put(key, bytes);
  return key;
}
