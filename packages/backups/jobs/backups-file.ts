import * as z from 'zod';
import { DrillCheck } from '#backups/drills/drill-checks.ts';
import { parsePlace } from '#backups/places/place.ts';
import { BackupKind } from '#backups/repository/snapshots.ts';
import { isOpsError } from '#core/errors.ts';
import { durationField, strictFields } from '#model/strict-fields.ts';
import { parseScheduleExpression } from '#ports/schedule-expression.ts';

const NAME = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/, 'must be 1 to 63 letters, digits, dots, dashes and underscores');
const count = z.int().min(-1).max(1_000_000);

/** Text that one of our parsers takes; what it says of wrong text is told. */
function parsed(parse: (text: string) => unknown, max: number) {
  return z
    .string()
    .max(max)
    .superRefine((text, context) => {
      try {
        parse(text);
      } catch (error) {
        if (!isOpsError(error)) throw error;
        context.addIssue({ code: 'custom', message: `${error.message}${error.hint ? `; ${error.hint}` : ''}` });
      }
    });
}

const Place = parsed(parsePlace, 2_000);
const ScheduleText = parsed(parseScheduleExpression, 250);

/** Where snapshots are kept, and what unlocks them: a KMS key, or else QUARTERDECK_BACKUP_PASSPHRASE. */
const RepositoryFields = strictFields({
  at: Place.refine((name) => !/^(?:dynamodb|quarterdeck):/.test(name), 'takes a folder or s3://bucket/prefix'),
  kms: z.string().min(1).max(2_048).optional(),
  /** Objects are held by Object Lock for so long; pruning waits for it, and what is still needed is held longer. */
  lock: durationField('1d', '36500d').optional(),
  /** When what no snapshot needs any more is pruned, and some of the rest is read and checked. */
  prune: ScheduleText.default('cron(30 2 * * ? *)'),
  check: ScheduleText.default('cron(30 4 * * ? *)'),
  /** Every object is read once in so many checks. */
  readAllInChecks: z.int().min(1).max(1_000).default(30),
});

/** Which snapshots are kept; -1 is all of a kind. */
const RetentionFields = strictFields({
  last: count.optional(),
  hourly: count.optional(),
  daily: count.optional(),
  weekly: count.optional(),
  monthly: count.optional(),
  quarterly: count.optional(),
  yearly: count.optional(),
  /** All that are at most so much older than the newest: `2y5m7d3h`. */
  within: z.string().max(50).optional(),
  /** All that have every tag of one of these lists. */
  tags: z
    .array(z.array(z.string().min(1).max(200)).min(1))
    .max(50)
    .optional(),
});

const BackupFields = strictFields({
  name: NAME,
  source: Place,
  repository: NAME,
  schedule: ScheduleText,
  kind: BackupKind.default('incremental'),
  /** A full one is taken instead where the last is older than this. */
  fullEvery: durationField('1h', '3650d').optional(),
  tags: z.array(z.string().min(1).max(200)).max(50).default([]),
  exclude: z.array(z.string().min(1).max(1_000)).max(1_000).default([]),
  /** Repositories that each snapshot is copied to. */
  copyTo: z.array(NAME).max(10).default([]),
  retention: RetentionFields.optional(),
  /** Keeps each change between snapshots, so that a table can be restored to any second. */
  changes: z.boolean().default(false),
}).refine(({ changes, source }) => !changes || source.startsWith('dynamodb:'), {
  path: ['changes'],
  message: 'takes true for dynamodb:TABLE alone',
});

const DrillFields = strictFields({
  name: NAME,
  backup: NAME,
  schedule: ScheduleText,
  /** `latest`, or one at random of those younger than `within`. */
  pick: z.union([z.literal('latest'), strictFields({ within: durationField('1h', '365d') })]).default('latest'),
  checks: z.array(DrillCheck).max(50).default([]),
  recoveryTime: durationField('1s', '365d').optional(),
  recoveryPoint: durationField('1s', '365d').optional(),
  timeout: durationField('1m', '7d').default(21_600_000),
});

/** `backups.yaml`. */
export const BackupsFile = strictFields({
  repositories: z.record(NAME, RepositoryFields).default({}),
  backups: z.array(BackupFields).max(1_000).default([]),
  drills: z.array(DrillFields).max(1_000).default([]),
}).superRefine((file, context) => {
  const refuse = (path: PropertyKey[], message: string) => context.addIssue({ code: 'custom', path, message });
  const known = Object.keys(file.repositories).join(', ') || 'none is defined';
  const names = file.backups.map(({ name }) => name);
  file.backups.forEach(({ name, repository, copyTo }, i) => {
    if (names.indexOf(name) !== i) refuse(['backups', i, 'name'], `is the name of two backups: ${name}`);
    if (!(repository in file.repositories)) refuse(['backups', i, 'repository'], `is no repository of this file; there are: ${known}`);
    copyTo.forEach((copy, j) => {
      if (!(copy in file.repositories)) refuse(['backups', i, 'copyTo', j], `is no repository of this file; there are: ${known}`);
      else if (copy === repository) refuse(['backups', i, 'copyTo', j], 'is where it is already');
    });
  });
  const drills = file.drills.map(({ name }) => name);
  file.drills.forEach(({ name, backup }, i) => {
    if (drills.indexOf(name) !== i) refuse(['drills', i, 'name'], `is the name of two drills: ${name}`);
    if (!names.includes(backup)) refuse(['drills', i, 'backup'], `is no backup of this file; there are: ${names.join(', ') || 'none'}`);
  });
});
export type BackupsFile = z.infer<typeof BackupsFile>;
export type BackupPlan = BackupsFile['backups'][number];
export type DrillPlan = BackupsFile['drills'][number];
export type RepositoryPlan = BackupsFile['repositories'][string];

export const NO_BACKUPS: BackupsFile = { repositories: {}, backups: [], drills: [] };
