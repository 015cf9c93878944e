import { randomBytes } from 'node:crypto';
import { createRepository } from '#backups/repository/create-repository.ts';
import { createMemoryPlaces, type MemoryPlaces } from '#ports/memory/memory-backup-places.ts';
import { type Ask, createWholeApi, NOW, type WholeApi } from '#test/api/whole-api.ts';
import { file } from '#test/backups/kit.ts';

export const PASSPHRASE = 'a passphrase for tests';

export const BACKUPS = `
repositories:
  main: { at: s3://acme-backups/main }
  locked: { at: s3://acme-backups/locked }
  later: { at: s3://acme-backups/later }
backups:
  - { name: shop, source: s3://shop/data, repository: main, schedule: rate(1 hour), tags: [nightly], retention: { last: 2 } }
drills:
  - { name: weekly, backup: shop, schedule: rate(7 days), checks: [{ atLeast: 1 }, { webhook: 'https://checks.example/?token=hunter2' }] }
  - { name: plain, backup: shop, schedule: rate(7 days) }
`;

export interface BackupApp {
  readonly api: WholeApi;
  readonly places: MemoryPlaces;
  /** The answer as JSON; fails with its text where the status is another. */
  ask(path: string, status?: number, ask?: Ask): Promise<ReturnType<typeof JSON.parse>>;
  /** Takes a backup by the API, and gives its snapshot's id. */
  backUp(): Promise<string>;
}

/** The whole API over memory, with a repository that keys open at once, one whose passphrase is another, and one that is not made yet. */
export async function createBackupApp(tokens: readonly string[] = []): Promise<BackupApp> {
  const places = createMemoryPlaces();
  for (const [name, passphrase] of [['main', PASSPHRASE] as const, ['locked', 'another passphrase'] as const]) {
    const { blobs } = await places.openStore(`s3://acme-backups/${name}`, { create: true });
    const chunker = { minBytes: 64, averageBytes: 256, maxBytes: 1_024 };
    await createRepository({ blobs, randomBytes, clock: () => NOW }, { unlock: { passphrase }, chunker, scryptLogN: 1 });
  }
  places.contents.set(
    's3://shop/data',
    new Map([
      ['a', {}],
      ['a-b', file('before a slash')],
      ['a/deep', {}],
      ['a/deep/one', file('1')],
      ['a/two', file('22')],
      ['implied/x/y', file('333')],
      ['z', file('last')],
    ]),
  );
  const api = await createWholeApi({ config: { 'backups.yaml': BACKUPS }, tokens, places });
  const ask: BackupApp['ask'] = async (path, status = 200, options = {}) => {
    const told = await api.ask(path, options);
    if (told.status !== status) throw new Error(`${path}: ${told.status} ${told.text}`);
    return told.text === '' ? undefined : JSON.parse(told.text);
  };
  const token = tokens.length > 0 ? { token: 'root' } : {};
  return {
    ...{ api, places, ask },
    async backUp() {
      await ask('/api/backups/shop/run', 202, { method: 'POST', ...token });
      await api.settle();
      const { backups } = await ask('/api/backups', 200, token);
      return backups[0].last.result.snapshot;
    },
  };
}
