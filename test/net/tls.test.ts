import { readFileSync } from 'node:fs';
import type { TLSSocket } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createSafeHttp } from '#net/safe-http.ts';
import { requestTo, startServer, type TestServer } from '#test/net/servers.ts';

const pem = (name: string) => readFileSync(new URL(`certificates/${name}`, import.meta.url), 'utf8');
const ca = pem('ca.pem');
const client = { cert: pem('client.pem'), key: pem('client.key') };

const outgoing = createSafeHttp({ allowPrivate: true, resolve: async () => [{ address: '127.0.0.1', family: 4 }] });
let server: TestServer;
let other: TestServer;
const subjects: unknown[] = [];

beforeAll(async () => {
  const tls = { key: pem('server.key'), cert: pem('server.pem'), ca };
  const note = (socket: TLSSocket) => void subjects.push(socket.getPeerCertificate().subject?.CN);
  other = await startServer((request, response) => {
    note(request.socket as TLSSocket);
    response.end('other');
  }, tls);
  server = await startServer((request, response) => {
    note(request.socket as TLSSocket);
    if (request.url === '/other') response.writeHead(307, { location: `https://mail.test:${other.port}/` }).end();
    else if (request.url === '/clear') response.writeHead(307, { location: `http://hooks.test:${other.port}/` }).end();
    else response.end('ok');
  }, tls);
});
afterAll(async () => void (await Promise.all([server.close(), other.close()])));

describe('TLS', () => {
  it('trusts no certificate that nobody vouches for', async () => {
    await expect(outgoing.send(requestTo(`https://hooks.test:${server.port}/`))).rejects.toMatchObject({ kind: 'unavailable' });
  });

  it.each([
    ['of the authority that is configured', 'hooks.test', { ca }],
    ['of any, if it is told not to verify', 'wrong.test', { insecureSkipVerify: true }],
    ['that is for the name configured', 'wrong.test', { ca, serverName: 'hooks.test' }],
    ['of an address', '127.0.0.1', { ca }],
  ])('takes a certificate %s', async (_, host, tls) => {
    expect((await outgoing.send(requestTo(`https://${host}:${server.port}/`, { tls }))).body).toBe('ok');
  });

  it.each([
    ['that is for another name', 'wrong.test', { ca }],
    ['below the lowest version', 'hooks.test', { ca, minVersion: 'TLSv1.3', maxVersion: 'TLSv1.2' }],
  ] as const)('refuses one %s', async (_, host, tls) => {
    const error = await outgoing.send(requestTo(`https://${host}:${server.port}/`, { tls })).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ name: 'OpsError' });
  });

  it.each([{ ca: 'no certificate' }, { cert: client.cert, key: 'no key' }, { cert: 'no certificate', key: client.key }])(
    'says which settings cannot be used, and not what they are: %#',
    async (tls) => {
      const error = await outgoing.send(requestTo(`https://hooks.test:${server.port}/`, { tls })).catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ name: 'OpsError' });
      expect((error as Error).message).not.toMatch(/no (key|certificate)|BEGIN/);
    },
  );

  it('shows the certificate of a client to the host that it is for, and to no other', async () => {
    subjects.length = 0;
    const request = requestTo(`https://hooks.test:${server.port}/other`, { tls: { ca, ...client } });
    expect((await outgoing.send(request)).body).toBe('other');
    expect(subjects).toEqual(['client.test', undefined]);
  });

  it('is not given up by a redirect', async () => {
    const request = requestTo(`https://hooks.test:${server.port}/clear`, { tls: { ca } });
    await expect(outgoing.send(request)).rejects.toMatchObject({ kind: 'denied' });
  });
});
