import type { Schedule } from '#ports/schedules.ts';

/** Everything that runs by the clock, on AWS and embedded alike; times are UTC. */
export const schedules: readonly Schedule[] = [
  { name: 'storage-compact', function: 'storage-compact', expression: 'rate(1 minute)' },
  { name: 'storage-downsample', function: 'storage-downsample', expression: 'rate(10 minutes)' },
  { name: 'storage-expire', function: 'storage-expire', expression: 'cron(20 3 * * ? *)' },
  { name: 'storage-sweep', function: 'storage-sweep', expression: 'cron(50 3 * * ? *)' },
  { name: 'ingest-aggregate', function: 'ingest-aggregate', expression: 'rate(1 minute)' },
  // At whole minutes, which the times of most rule groups are.
  { name: 'alerts-evaluate', function: 'alerts-evaluate', expression: 'cron(* * * * ? *)' },
  { name: 'alerts-dispatch', function: 'alerts-dispatch', expression: 'rate(1 minute)' },
  { name: 'alerts-correlate', function: 'alerts-correlate', expression: 'rate(1 minute)' },
  { name: 'alerts-deliver', function: 'alerts-deliver', expression: 'rate(1 minute)' },
  { name: 'releases-advance', function: 'releases-advance', expression: 'rate(1 minute)' },
  { name: 'releases-answer', function: 'releases-answer', expression: 'rate(1 minute)' },
  // Each looks which of its jobs are due, and goes on with those that were begun.
  { name: 'backups-snapshot', function: 'backups-snapshot', expression: 'rate(1 minute)' },
  { name: 'backups-capture', function: 'backups-capture', expression: 'rate(1 minute)' },
  { name: 'backups-restore', function: 'backups-restore', expression: 'rate(1 minute)' },
  { name: 'backups-copy', function: 'backups-copy', expression: 'rate(5 minutes)' },
  { name: 'backups-forget', function: 'backups-forget', expression: 'rate(5 minutes)' },
  { name: 'backups-check', function: 'backups-check', expression: 'rate(5 minutes)' },
  { name: 'backups-drill', function: 'backups-drill', expression: 'rate(5 minutes)' },
  { name: 'events-publish', function: 'events-publish', expression: 'rate(1 minute)' },
];
