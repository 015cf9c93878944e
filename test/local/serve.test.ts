import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { readSettings } from '#config/settings.ts';
import { type LocalServer, startServer } from '#local/serve.ts';

let folder: string;
let server: LocalServer;

const start = (name: string, variables: Record<string, string>) =>
  startServer(
    readSettings({
      QUARTERDECK_DATA: join(folder, name),
      QUARTERDECK_CONFIG: folder,
      QUARTERDECK_SELF: 'off',
      QUARTERDECK_SCHEDULES: 'off',
      ...variables,
    }),
    () => {},
  );

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'quarterdeck-serve-'));
  server = await start('first', { PORT: '0' });
});
afterAll(async () => {
  await server.close();
  await rm(folder, { recursive: true });
});

it('a port that is taken is told by the name of its setting', async () => {
  const { port } = new URL(server.url);
  await expect(start('second', { PORT: port })).rejects.toMatchObject({
    kind: 'conflict',
    message: `PORT: ${port} of 127.0.0.1 is taken by another process`,
    hint: 'Another Quarterdeck, perhaps: stop it, or give this one another PORT and QUARTERDECK_DATA.',
  });
});

it('an address that no interface has is told by the name of its setting', async () => {
  const tokens = 'token-of-a=a:query'; // which an address beyond loopback takes
  await expect(start('third', { PORT: '0', HOST: '192.0.2.1', QUARTERDECK_TOKENS: tokens })).rejects.toMatchObject({
    kind: 'input',
    message: 'HOST: 192.0.2.1 is no address of this machine',
  });
});
