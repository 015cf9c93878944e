import type { BackupsFile } from './backups-file.ts';
import type { Job, JobKind } from './job.ts';

/** As often as anything runs here: what is not captured yet is what could be lost. */
const CAPTURES = 'rate(1 minute)';

/** What the configuration wants done by itself, of one kind. Copies are made after each time that their backup is due. */
export function listPlannedJobs(file: BackupsFile, kind: Exclude<JobKind, 'restore'>): Job[] {
  const repositories = Object.entries(file.repositories);
  switch (kind) {
    case 'snapshot':
      return file.backups.map(({ name, schedule }) => ({ kind, name, schedule }));
    case 'capture':
      return file.backups.filter(({ changes }) => changes).map(({ name }) => ({ kind, name, schedule: CAPTURES }));
    case 'copy':
      return file.backups.filter(({ copyTo }) => copyTo.length > 0).map(({ name, schedule }) => ({ kind, name, schedule }));
    case 'forget':
      return repositories.map(([name, { prune }]) => ({ kind, name, schedule: prune }));
    case 'check':
      return repositories.map(([name, { check }]) => ({ kind, name, schedule: check }));
    case 'drill':
      return file.drills.map(({ name, schedule }) => ({ kind, name, schedule }));
  }
}
