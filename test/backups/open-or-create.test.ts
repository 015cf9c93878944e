import { randomBytes } from 'node:crypto';
import { expect, it } from 'vitest';
import { openOrCreateRepository } from '#backups/repository/open-or-create.ts';
import { createMemoryBlobs } from '#ports/memory/memory-blobs.ts';
import { unlock } from './kit.ts';

const clock = () => 0;

it('several that make a repository at once all have the same one, and others are refused', async () => {
  const deps = { blobs: createMemoryBlobs({ clock }), randomBytes, clock };
  const open = (passphrase: string) => openOrCreateRepository(deps, { unlock: { passphrase }, scryptLogN: 1 });
  const all = await Promise.all([1, 2, 3].map(() => open(unlock.passphrase)));
  expect(new Set(all.map(({ id }) => id)).size).toBe(1);
  expect([...deps.blobs.stored.keys()].filter((key) => key.startsWith('keys/'))).toHaveLength(1);
  await expect(open('another passphrase')).rejects.toMatchObject({ kind: 'denied' });
});
