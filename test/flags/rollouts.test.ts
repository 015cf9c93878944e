import { parseFlagSet } from '#flags/flag-set.ts';
import type { FileFlags } from '#flags/store/flag-view.ts';
import { createRollouts } from '#flags/store/rollouts.ts';
import { createMemoryRollouts } from '#ports/memory/memory-rollouts.ts';
import { createMemoryTable } from '#ports/memory/memory-table.ts';
import { createFlagApp, onOff } from '#test/api/flags/flag-app.ts';
import { rolloutsContract } from '#test/ports/rollouts.contract.ts';

rolloutsContract('memory', async () => createMemoryRollouts([{ tenant: 'a', flag: 'banner', variant: 'on' }]));

rolloutsContract('a flag written by API', async () => {
  const app = createFlagApp();
  await app.put('banner', onOff);
  return app.rollouts;
});

rolloutsContract('a flag of a file', async () => {
  const banner = parseFlagSet(JSON.stringify({ flags: { banner: onOff } })).flags.get('banner')!;
  const files: FileFlags = new Map([['banner', { ...banner, file: 'flags/a.json' }]]);
  let ids = 0;
  const deps = { table: createMemoryTable(), now: () => 0, newId: () => `id${++ids}` };
  return createRollouts({ ...deps, files: async (tenant) => (tenant === 'a' ? files : new Map()) });
});
