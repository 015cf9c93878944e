import { once } from 'node:events';
import { createServer } from 'node:net';

/** A loopback port with `count` free ports in a row from it; somebody may still take them before the caller does. */
export async function freePort(count = 1): Promise<number> {
  for (;;) {
    const first = await listenOnce(0);
    const others = await Promise.all(Array.from({ length: count - 1 }, (_, i) => listenOnce(first + 1 + i).catch(() => undefined)));
    if (!others.includes(undefined)) return first;
  }
}

async function listenOnce(port: number): Promise<number> {
  const server = createServer().listen(port, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('a TCP server has a port');
  return address.port;
}
