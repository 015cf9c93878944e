import { beforeEach, describe, expect, it } from 'vitest';
import { OpsError } from '#core/errors.ts';
import { withOAuth2 } from '#net/oauth2.ts';
import { createMemoryOutgoing } from '#ports/memory/memory-outgoing.ts';
import type { OutgoingOAuth2 } from '#ports/outgoing.ts';
import { requestTo } from '#test/net/servers.ts';

const oauth2: OutgoingOAuth2 = {
  clientId: 'me:1',
  clientSecret: 'word&secret',
  tokenUrl: 'https://id.test/token',
  scopes: ['a', 'b'],
  endpointParams: { audience: 'hooks' },
};
const token = (text: string, more = {}) => ({ status: 200, body: JSON.stringify({ access_token: text, token_type: 'bearer', ...more }) });

let nowMs = 1_000_000;
let memory: ReturnType<typeof createMemoryOutgoing>;
let send: (given?: object) => Promise<unknown>;
beforeEach(() => {
  memory = createMemoryOutgoing();
  const outgoing = withOAuth2({ outgoing: memory, clock: () => nowMs });
  send = (given = {}) => outgoing.send(requestTo('https://hooks.test/', { oauth2, ...given }));
});
const sentTokens = () => memory.sent.filter(({ url }) => url === 'https://hooks.test/').map(({ headers }) => headers.authorization);
const asked = () => memory.sent.filter(({ url }) => url === oauth2.tokenUrl);

describe('client credentials', () => {
  it('are traded for a token, which the request then carries', async () => {
    memory.script(token('t1'));
    await send();
    expect(asked()).toMatchObject([
      { method: 'POST', headers: { authorization: `Basic ${Buffer.from('me%3A1:word%26secret').toString('base64')}` } },
    ]);
    expect(Object.fromEntries(new URLSearchParams(asked()[0]?.body))).toEqual({
      grant_type: 'client_credentials',
      scope: 'a b',
      audience: 'hooks',
    });
    expect(sentTokens()).toEqual(['Bearer t1']);
    expect(memory.sent[1]).not.toHaveProperty('oauth2');
  });

  it('are asked for again only when the token is about to expire', async () => {
    memory.script(token('t1', { expires_in: 60 }), {}, {}, token('t2'));
    await send();
    nowMs += 49_000;
    await send();
    nowMs += 2_000;
    await send();
    expect(sentTokens()).toEqual(['Bearer t1', 'Bearer t1', 'Bearer t2']);
  });

  it('are asked for again after a 401', async () => {
    memory.script(token('t1'), { status: 401 }, token('t2'));
    await send();
    await send();
    expect(sentTokens()).toEqual(['Bearer t1', 'Bearer t2']);
  });

  it('go into the form where the server takes no basic authentication', async () => {
    memory.script({ status: 401 }, token('t1'));
    await send();
    expect(asked()[1]?.headers).not.toHaveProperty('authorization');
    expect(new URLSearchParams(asked()[1]?.body).get('client_secret')).toBe('word&secret');
    expect(sentTokens()).toEqual(['Bearer t1']);
  });

  it('are kept apart by what they are', async () => {
    memory.script(token('t1'), {}, token('t2'));
    await send();
    await send({ oauth2: { ...oauth2, scopes: ['c'] } });
    expect(sentTokens()).toEqual(['Bearer t1', 'Bearer t2']);
  });

  it('are not needed by a request that carries its own', async () => {
    await send({ headers: { Authorization: 'GenieKey k' } });
    expect(memory.sent).toHaveLength(1);
  });

  it.each([
    ['unavailable', [{ status: 503 }]],
    ['unavailable', [{ status: 429 }]],
    ['input', [{ status: 401 }, { status: 401 }]],
    ['input', [{ status: 200, body: 'no JSON' }]],
    ['input', [{ status: 200, body: '{}' }]],
    ['denied', [new OpsError('denied', 'id.test may not be reached')]],
  ])('without a token are %s, and nothing is sent', async (kind, answers) => {
    memory.script(...answers);
    await expect(send()).rejects.toMatchObject({ kind });
    expect(sentTokens()).toEqual([]);
  });
});
