import { once } from 'node:events';
import { createServer } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import type { Resolve } from '#net/guard.ts';
import { createSafeHttp } from '#net/safe-http.ts';
import { requestTo, startServer, type TestServer } from '#test/net/servers.ts';

const servers: TestServer[] = [];
const start: typeof startServer = async (...args) => {
  const server = await startServer(...args);
  servers.push(server);
  return server;
};
afterEach(async () => void (await Promise.all(servers.splice(0).map((server) => server.close()))));

const names: Record<string, readonly string[]> = {
  'hooks.test': ['127.0.0.1'],
  'other.test': ['127.0.0.1'],
  'public.test': ['8.8.8.8'],
  'mixed.test': ['8.8.8.8', '10.0.0.1'],
  'metadata.test': ['169.254.169.254'],
  'six.test': ['::ffff:169.254.169.254'],
  'empty.test': [],
};
const resolve: Resolve = async (host) => {
  const found = names[host];
  if (found === undefined) throw Object.assign(new Error('no such name'), { code: 'ENOTFOUND' });
  return found.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
};
const open = createSafeHttp({ resolve, allowPrivate: true });
const closed = createSafeHttp({ resolve, allowPrivate: false });

describe('a target that may not be reached', () => {
  it.each([
    ['http://127.0.0.1/', 'denied'],
    ['http://127.1/', 'denied'],
    ['http://0x7f.1/', 'denied'],
    ['http://2130706433/', 'denied'],
    ['http://017700000001/', 'denied'],
    ['http://127.0.0.1./', 'denied'],
    ['http://①②⑦.0.0.1/', 'denied'],
    ['http://[::1]/', 'denied'],
    ['http://[::ffff:127.0.0.1]/', 'denied'],
    ['http://[::ffff:7f00:1]/', 'denied'],
    ['http://[0:0:0:0:0:ffff:127.0.0.1]/', 'denied'],
    ['http://0/', 'denied'],
    ['http://0.0.0.0:80/', 'denied'],
    ['http://10.1.2.3/', 'denied'],
    ['http://8.8.8.8@169.254.169.254/latest/meta-data/', 'denied'],
    ['http://169.254.169.254/latest/meta-data/', 'denied'],
    ['http://2852039166/', 'denied'],
    ['http://hooks.test/', 'denied'],
    ['http://mixed.test/', 'denied'],
    ['http://metadata.test/', 'denied'],
    ['http://six.test/', 'denied'],
    ['file:///etc/passwd', 'denied'],
    ['gopher://8.8.8.8/', 'denied'],
    ['http://[fe80::1%25eth0]/', 'input'],
    ['http://', 'input'],
    ['not a url', 'input'],
    ['http://nowhere.test/', 'unavailable'],
    ['http://empty.test/', 'unavailable'],
  ])('%s is %s', async (url, kind) => {
    await expect(closed.send(requestTo(url))).rejects.toMatchObject({ name: 'OpsError', kind });
  });

  it.each(['http://metadata.test/', 'http://[fd00:ec2::254]/', 'http://0.0.0.0/', 'http://224.0.0.1/', 'http://six.test/'])(
    'is denied even where private ones are allowed: %s',
    async (url) => await expect(open.send(requestTo(url))).rejects.toMatchObject({ kind: 'denied' }),
  );

  it('gets no connection', async () => {
    const server = await start((_, response) => response.end());
    for (const host of ['127.0.0.1', 'hooks.test']) {
      await expect(closed.send(requestTo(`http://${host}:${server.port}/`))).rejects.toMatchObject({ kind: 'denied' });
    }
    expect(server.connections()).toBe(0);
  });
});

it('what is sent arrives, and what is answered comes back', async () => {
  const server = await start((_, response) => response.writeHead(503, { 'retry-after': '7', 'x-two': ['a', 'b'] }).end('busy'));
  const request = requestTo(`http://hooks.test:${server.port}/a?b=c`, { headers: { 'X-One': '1' }, body: 'grüße' });
  expect(await open.send(request)).toMatchObject({
    status: 503,
    headers: { 'retry-after': '7', 'x-two': 'a, b' },
    body: 'busy',
    truncated: false,
  });
  expect(server.received).toMatchObject([{ method: 'POST', url: '/a?b=c', body: 'grüße', headers: { 'x-one': '1' } }]);
  expect(server.received[0]?.headers.host).toBe(`hooks.test:${server.port}`);
});

it('a name is asked for once, so that it cannot answer otherwise when it is connected to', async () => {
  const server = await start((_, response) => response.end('ok'));
  let asked = 0;
  const rebinding: Resolve = async () => [{ address: asked++ === 0 ? '127.0.0.1' : '169.254.169.254', family: 4 }];
  const outgoing = createSafeHttp({ resolve: rebinding, allowPrivate: true });
  expect((await outgoing.send(requestTo(`http://rebind.test:${server.port}/`))).body).toBe('ok');
  expect(asked).toBe(1);
  await expect(outgoing.send(requestTo(`http://rebind.test:${server.port}/`))).rejects.toMatchObject({ kind: 'denied' });
});

it('credentials in the URL become basic authentication, and leave it', async () => {
  const server = await start((_, response) => response.end());
  await open.send(requestTo(`http://me:p%40ss@hooks.test:${server.port}/`));
  expect(server.received[0]?.headers.authorization).toBe(`Basic ${Buffer.from('me:p@ss').toString('base64')}`);
  expect(server.received[0]?.url).toBe('/');
});

it.each(['host', 'Content-Length', 'transfer-encoding', 'Connection'])('the header %s cannot be set', async (name) => {
  await expect(open.send(requestTo('http://public.test/', { headers: { [name]: 'x' } }))).rejects.toMatchObject({ kind: 'input' });
});

it.each([{ 'x-a': 'one\r\nx-b: two' }, { 'x a': 'one' }])('a header that would split the request is refused: %j', async (headers) => {
  await expect(open.send(requestTo('http://public.test/', { headers }))).rejects.toMatchObject({ kind: 'input' });
});

describe('redirects', () => {
  const redirectTo = (location: string, status = 307) => start((_, response) => response.writeHead(status, { location }).end());

  it('to metadata is denied, from a host that is allowed', async () => {
    const server = await redirectTo('http://169.254.169.254/latest/meta-data/iam/');
    await expect(open.send(requestTo(`http://hooks.test:${server.port}/`))).rejects.toMatchObject({ kind: 'denied' });
  });

  it.each(['http://metadata.test/', '//169.254.169.254/', 'http://2852039166/', 'file:///etc/passwd'])(
    'to %s is denied',
    async (location) => {
      const server = await redirectTo(location);
      await expect(open.send(requestTo(`http://hooks.test:${server.port}/`))).rejects.toMatchObject({ kind: 'denied' });
    },
  );

  it('in a loop end', async () => {
    const server = await redirectTo('/again');
    await expect(open.send(requestTo(`http://hooks.test:${server.port}/`))).rejects.toMatchObject({ kind: 'unavailable' });
    expect(server.received).toHaveLength(6);
  });

  it('are an answer where they are not followed', async () => {
    const server = await redirectTo('http://169.254.169.254/');
    expect((await open.send(requestTo(`http://hooks.test:${server.port}/`, { followRedirects: false }))).status).toBe(307);
  });

  it.each([
    [301, 'GET', ''],
    [302, 'GET', ''],
    [303, 'GET', ''],
    [307, 'POST', '{}'],
    [308, 'POST', '{}'],
  ])('with %i become %s', async (status, method, body) => {
    const target = await start((_, response) => response.end('there'));
    const server = await redirectTo(`http://hooks.test:${target.port}/x`, status);
    const headers = { 'content-type': 'application/json' };
    expect((await open.send(requestTo(`http://hooks.test:${server.port}/`, { headers }))).body).toBe('there');
    expect(target.received).toMatchObject([{ method, body, url: '/x' }]);
  });

  it('to another host go without anything that may be a credential', async () => {
    const target = await start((_, response) => response.end());
    const server = await redirectTo(`http://evil:word@other.test:${target.port}/`);
    const headers = { authorization: 'Bearer abc', cookie: 'a=b', 'x-api-key': 'k', 'content-type': 'application/json' };
    await open.send(requestTo(`http://hooks.test:${server.port}/`, { headers }));
    expect(Object.keys(target.received[0]?.headers ?? {}).sort()).toEqual(['connection', 'content-length', 'content-type', 'host']);
  });

  it('on the same host keep them', async () => {
    const server = await start((request, response) =>
      request.url === '/' ? response.writeHead(307, { location: '/next' }).end() : response.end('ok'),
    );
    await open.send(requestTo(`http://hooks.test:${server.port}/`, { headers: { authorization: 'Bearer abc' } }));
    expect(server.received.map(({ headers }) => headers.authorization)).toEqual(['Bearer abc', 'Bearer abc']);
  });
});

describe('a receiver that does not behave', () => {
  it('and hangs is given up after the time', async () => {
    const server = await start(() => undefined);
    await expect(open.send(requestTo(`http://hooks.test:${server.port}/`, { timeoutMs: 100 }))).rejects.toMatchObject({
      kind: 'unavailable',
    });
  });

  it('and drips ends when the time is up, with what there was', async () => {
    const server = await start((_, response) => {
      response.writeHead(200);
      const timer = setInterval(() => response.write('x'), 5);
      response.on('close', () => clearInterval(timer));
    });
    const response = await open.send(requestTo(`http://hooks.test:${server.port}/`, { timeoutMs: 150 }));
    expect(response).toMatchObject({ status: 200, truncated: true });
    expect(response.body).toMatch(/^x+$/);
  });

  it('and drips its head is given up', async () => {
    const server = createServer((socket) => {
      socket.on('error', () => undefined);
      const timer = setInterval(() => socket.write('H'), 5);
      socket.on('close', () => clearInterval(timer));
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    await expect(open.send(requestTo(`http://hooks.test:${port}/`, { timeoutMs: 200 }))).rejects.toMatchObject({ kind: 'unavailable' });
    server.close();
  });

  it('and sends 100 MB is cut off', async () => {
    let written = 0;
    const server = await start((_, response) => {
      const chunk = Buffer.alloc(1_000_000, 'y');
      const write = () => {
        while (written < 100_000_000) {
          written += chunk.length;
          if (!response.write(chunk)) return void response.once('drain', write);
        }
        response.end();
      };
      write();
    });
    const response = await open.send(requestTo(`http://hooks.test:${server.port}/`, { maxResponseBytes: 10_000 }));
    expect(response).toMatchObject({ status: 200, truncated: true, body: 'y'.repeat(10_000) });
    expect(written).toBeLessThan(100_000_000);
  });

  it('and ends in the middle tells so', async () => {
    const server = await start((_, response) => {
      response.writeHead(200, { 'content-length': '100' });
      response.write('half');
      setTimeout(() => response.destroy(), 20);
    });
    expect(await open.send(requestTo(`http://hooks.test:${server.port}/`))).toMatchObject({ status: 200, body: 'half', truncated: true });
  });

  it.each([
    ['closes at once', ''],
    ['speaks another protocol', '220 mail.test ESMTP\r\n'],
    ['switches the protocol', 'HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n'],
    ['sends a head without end', `HTTP/1.1 200 OK\r\nx: ${'y'.repeat(100_000)}\r\n\r\n`],
  ])('and %s is unavailable', async (_, bytes) => {
    const server = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.end(bytes);
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    await expect(open.send(requestTo(`http://hooks.test:${port}/`))).rejects.toMatchObject({ kind: 'unavailable' });
    server.close();
  });

  it('and does not listen is unavailable', async () => {
    const server = await start(() => undefined);
    await server.close();
    await expect(open.send(requestTo(`http://hooks.test:${server.port}/`))).rejects.toMatchObject({ kind: 'unavailable' });
  });

  it('and whose name is never answered is given up', async () => {
    const silent = createSafeHttp({ resolve: () => new Promise(() => undefined), allowPrivate: true });
    await expect(silent.send(requestTo('http://hooks.test/', { timeoutMs: 50 }))).rejects.toMatchObject({ kind: 'unavailable' });
  });

  it('and never takes the TLS handshake up is given up before the whole time', async () => {
    const server = createServer((socket) => void socket.on('error', () => undefined)).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    const outgoing = createSafeHttp({ resolve, allowPrivate: true, connectTimeoutMs: 50 });
    await expect(outgoing.send(requestTo(`https://hooks.test:${port}/`, { timeoutMs: 60_000 }))).rejects.toMatchObject({
      kind: 'unavailable',
    });
    server.close();
  });
});

it('no message or cause tells path, query, credentials or headers', async () => {
  const server = await start((_, response) => response.writeHead(307, { location: 'https://' }).end());
  const urls = [
    `http://user-secret:word-secret@hooks.test:${server.port}/path-secret?q=query-secret`,
    'http://user-secret:word-secret@metadata.test/path-secret?q=query-secret',
    'http://user-secret:word-secret@nowhere.test/path-secret?q=query-secret',
    'https://user-secret:word-secret@[path-secret',
    'https://hooks.test:99999/path-secret',
  ];
  for (const url of urls) {
    const error = await open
      .send(requestTo(url, { headers: { 'x-key': 'key-secret' }, body: 'body-secret' }))
      .catch((thrown: unknown) => thrown);
    const told = JSON.stringify([error, (error as Error).message, (error as Error).stack, (error as Error).cause]);
    expect(told, url).not.toContain('-secret');
    expect(error).toMatchObject({ name: 'OpsError' });
  }
});
