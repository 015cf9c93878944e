import { randomBytes } from 'node:crypto';
import * as z from 'zod';
import type { Job } from '#backups/jobs/job.ts';
import { endedEvents, progressedEvent } from '#backups/jobs/job-events.ts';
import type { DrillJobDeps } from '#backups/jobs/perform-drill.ts';
import { type JobReport, type RunJobsDeps, runJobs } from '#backups/jobs/run-jobs.ts';
import type { Config } from '#config/load-config.ts';
import { readSettings } from '#config/settings.ts';
import { OpsError } from '#core/errors.ts';
import { MINUTE_MS } from '#core/time.ts';
import { createSafeHttp } from '#net/safe-http.ts';
import type { BackupPlaces } from '#ports/backup-places.ts';
import { publishOutbox } from '#ports/outbox.ts';
import { compileBackups } from './backup-files.ts';
import type { FunctionDeps } from './deps.ts';
import { parseEvent } from './event.ts';
import type { FunctionEvent } from './lambda.ts';

/** Backups are of the installation, and its first tenant hears of them. */
export const BACKUP_TENANT = 'default';
/** This installation, as its snapshots name it. */
export const BACKUP_HOST = 'quarterdeck';
const MAX_ANSWER_BYTES = 16 * 1024;

/** What jobs of backups are made of. */
export async function backupJobDeps(deps: FunctionDeps): Promise<DrillJobDeps> {
  const { table, now, config, allowPrivateTargets } = deps;
  return {
    ...{ table, randomBytes, clock: now, random: Math.random, remainingMs: boundTime(deps.remainingMs) },
    file: await compileBackups(config),
    places: deps.places ?? (await openPlaces(config)),
    host: BACKUP_HOST,
    unlockOf: async ({ kms }) => (kms === undefined ? { passphrase: readPassphrase() } : { keyWrap: await openKeyWrap(kms) }),
    ask: (url, timeoutMs, place) => askWebhook(allowPrivateTargets, url, timeoutMs, place),
  };
}

/** Well within a job's lease, also where nothing else ends a call: what takes longer goes on in the next. */
const CALL_MS = 15 * MINUTE_MS;

function boundTime(remainingMs: (() => number) | undefined): () => number {
  const endMs = performance.now() + CALL_MS;
  return () => Math.min(remainingMs?.() ?? Number.POSITIVE_INFINITY, endMs - performance.now());
}

async function openPlaces(config: Config): Promise<BackupPlaces> {
  return (await import('./aws-places.ts')).openAwsPlaces({ config: async () => config });
}

async function openKeyWrap(keyId: string) {
  const { createKmsClient, createKmsKeyWrap } = await import('#aws/backup/kms-key-wrap.ts');
  return createKmsKeyWrap({ client: await createKmsClient({}), keyId });
}

function readPassphrase(): string {
  const { backupPassphrase } = readSettings();
  if (backupPassphrase !== undefined) return backupPassphrase;
  throw new OpsError('input', 'QUARTERDECK_BACKUP_PASSPHRASE is not set, and the repository names no kms key');
}

const Answer = z.object({ ok: z.boolean(), sentence: z.string().max(2_000).default('') });

async function askWebhook(allowPrivate: boolean, url: string, timeoutMs: number, place: string) {
  const request = {
    method: 'POST',
    url,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ place }),
    timeoutMs,
  } as const;
  const answer = await createSafeHttp({ allowPrivate }).send({ ...request, maxResponseBytes: MAX_ANSWER_BYTES, followRedirects: false });
  if (answer.status < 200 || answer.status >= 300) return { ok: false, sentence: `it answered ${answer.status}` };
  try {
    return Answer.parse(JSON.parse(answer.body));
  } catch {
    return { ok: false, sentence: 'it answered what is not {"ok": true} or {"ok": false}' };
  }
}

/** `name`: one job, now, whatever its schedule says. */
const Event = z.object({ name: z.string().optional() });

/** Attends to jobs, tells of what came of them, and gives what was done. */
export async function attendJobs(
  deps: FunctionDeps,
  event: FunctionEvent,
  jobs: readonly Job[],
  perform: RunJobsDeps['perform'],
): Promise<{ readonly jobs: readonly JobReport[] }> {
  const { table, bus, now, newId } = deps;
  const { name } = parseEvent(Event, event);
  if (event.onlyTenant !== undefined && event.onlyTenant !== BACKUP_TENANT)
    throw new OpsError('denied', `backups are of the whole installation, and tenant ${BACKUP_TENANT}'s alone`);
  if (name !== undefined && !jobs.some((job) => job.name === name)) {
    throw new OpsError('missing', `there is no ${JSON.stringify(name)}`, {
      hint: `There are: ${jobs.map((job) => job.name).join(', ') || 'none'}.`,
    });
  }
  const reports = await runJobs(
    {
      ...{ table, now, newId, perform, remainingMs: boundTime(deps.remainingMs) },
      eventsOf: (job, outcome, before) => endedEvents(job, outcome, before, BACKUP_TENANT),
      progressOf: (job, run, sentence) => [progressedEvent(job, run, sentence, now(), BACKUP_TENANT)],
    },
    jobs,
    name,
  );
  if (reports.length > 0) await publishOutbox({ table, bus });
  return { jobs: reports };
}
