import type { OpsFunction } from './lambda.ts';

/** Every function that can be invoked, by name: its path here, with dashes. Loaded when first called. */
const loaders: Readonly<Record<string, () => Promise<{ readonly run: OpsFunction }>>> = {
  'alerts-correlate': () => import('./alerts/correlate.ts'),
  'alerts-deliver': () => import('./alerts/deliver.ts'),
  'alerts-dispatch': () => import('./alerts/dispatch.ts'),
  'alerts-evaluate': () => import('./alerts/evaluate.ts'),
  'backups-capture': () => import('./backups/capture.ts'),
  'backups-check': () => import('./backups/check.ts'),
  'backups-copy': () => import('./backups/copy.ts'),
  'backups-drill': () => import('./backups/drill.ts'),
  'backups-forget': () => import('./backups/forget.ts'),
  'backups-restore': () => import('./backups/restore.ts'),
  'backups-snapshot': () => import('./backups/snapshot.ts'),
  'events-publish': () => import('./events/publish.ts'),
  'ingest-aggregate': () => import('./ingest/aggregate.ts'),
  'ingest-import': () => import('./ingest/import.ts'),
  'releases-advance': () => import('./releases/advance.ts'),
  'releases-configure': () => import('./releases/configure.ts'),
  'releases-answer': () => import('./releases/answer.ts'),
  'storage-compact': () => import('./storage/compact.ts'),
  'storage-downsample': () => import('./storage/downsample.ts'),
  'storage-expire': () => import('./storage/expire.ts'),
  'storage-sweep': () => import('./storage/sweep.ts'),
};

export const functionNames: readonly string[] = Object.keys(loaders);

/** The function of that name; only names of functionNames may be asked for. */
export async function loadFunction(name: string): Promise<OpsFunction> {
  const load = loaders[name];
  if (!load) throw new RangeError(`no function ${name}`);
  return (await load()).run;
}
