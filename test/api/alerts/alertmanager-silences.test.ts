import { describe, expect, it } from 'vitest';
import type { Table } from '#ports/table.ts';
import { type AlertAppOptions, createAlertApp, NOW } from './alert-app.ts';

const PATH = '/alertmanager/api/v2';
const MINUTE = 60_000;
const iso = (ms: number) => new Date(ms).toISOString();
const base = {
  matchers: [{ name: 'alertname', value: 'Down', isRegex: false }],
  startsAt: iso(NOW),
  endsAt: iso(NOW + 10 * MINUTE),
  createdBy: 'me',
  comment: 'quiet',
};

interface Shown {
  readonly id: string;
  readonly status: { readonly state: string };
  readonly comment: string;
}

function createApp(options?: AlertAppOptions) {
  const app = createAlertApp(options);
  return {
    ...app,
    add: async (change: object = {}) =>
      ((await app.post(`${PATH}/silences`, { ...base, ...change })).body as { silenceID: string }).silenceID,
    list: async (query = '') => (await app.get(`${PATH}/silences${query}`)).body as Shown[],
  };
}

describe('silences of Alertmanager’s API', () => {
  it('are shown as they were asked for, by an id that is a UUID', async () => {
    const app = createApp();
    const id = await app.add();
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/);
    const shown = { ...base, id, matchers: [{ ...base.matchers[0], isEqual: true }], status: { state: 'active' }, updatedAt: iso(NOW) };
    expect(await app.list()).toEqual([shown]);
    expect((await app.get(`${PATH}/silence/${id}`)).body).toEqual(shown);
  });

  it('are changed under their id, or under a new one where history would be rewritten', async () => {
    const app = createApp();
    const id = await app.add();
    app.clock.nowMs += MINUTE;
    expect(await app.add({ id, endsAt: iso(NOW + 20 * MINUTE), comment: 'longer' })).toBe(id);
    const other = await app.add({ id, matchers: [{ name: 'alertname', value: 'Up', isRegex: false, isEqual: false }] });
    expect(other).not.toBe(id);
    expect((await app.list()).map((silence) => [silence.id, silence.status.state])).toEqual([
      [other, 'active'],
      [id, 'expired'],
    ]);
  });

  it('end when they are deleted, and stay so', async () => {
    const app = createApp();
    const id = await app.add();
    for (const _ of [1, 2]) expect((await app.ask('DELETE', `${PATH}/silence/${id}`)).status).toBe(200);
    expect(await app.list()).toMatchObject([{ id, status: { state: 'expired' }, endsAt: iso(NOW) }]);
  });

  it('are found by the matchers they have, those that hold now first', async () => {
    const app = createApp();
    const first = await app.add();
    const later = await app.add({ startsAt: iso(NOW + MINUTE) });
    const other = await app.add({ matchers: [{ name: 'team', value: 'db', isRegex: false }] });
    expect((await app.list()).map(({ id }) => id)).toEqual([first, other, later]);
    expect((await app.list('?filter=alertname%3DDown')).map(({ id }) => id)).toEqual([first, later]);
    expect(await app.list('?filter=alertname%3DUp')).toEqual([]);
    expect((await app.get(`${PATH}/silences?filter=%7B`)).status).toBe(400);
  });

  it.each([
    ['an unknown id', { id: 'e29e5c1c-5c30-4d2b-8b1b-000000000000' }, 404, 'silence not found'],
    ['no matcher', { matchers: [] }, 400, 'matchers in body: should have at least 1 items'],
    ['a matcher of everything', { matchers: [{ name: 'a', value: '.*', isRegex: true }] }, 400, /must not match the empty string/],
    ['a bad expression', { matchers: [{ name: 'a', value: '(', isRegex: true }] }, 400, /invalid regular expression/],
    ['an end before its start', { startsAt: base.endsAt, endsAt: base.startsAt }, 400, /start time must be before end time/],
    ['an end in the past', { startsAt: iso(NOW - 2), endsAt: iso(NOW - 1) }, 400, /end time can't be in the past/],
    ['no author', { createdBy: undefined }, 400, /^createdBy in body: /],
    ['no time', { endsAt: 'soon' }, 400, /must be of type date-time/],
    ['65 KiB', { comment: 'x'.repeat(65 * 1024) }, 413, /exceeded maximum size/],
  ])('are refused with %s', async (_, change, status, message) => {
    const app = createApp();
    const answer = await app.post(`${PATH}/silences`, { ...base, ...change });
    expect(answer.status).toBe(status);
    expect(answer.body).toMatch(message);
    expect(await app.list()).toEqual([]);
  });

  it('that nobody made are 404', async () => {
    const app = createApp();
    expect((await app.get(`${PATH}/silence/x`)).status).toBe(404);
    expect((await app.ask('DELETE', `${PATH}/silence/x`)).status).toBe(404);
  });

  it('changed by many at once are each changed after the other: one stays active, and nothing is lost', async () => {
    const app = createApp();
    const id = await app.add();
    const changes = Array.from({ length: 6 }, (_, i) => ({ id, matchers: [{ name: 'alertname', value: `Other${i}`, isRegex: false }] }));
    const ids = await Promise.all(changes.map((change) => app.add(change)));
    const made = await app.list();
    expect(new Set(ids).size).toBe(6);
    expect(
      made
        .filter(({ status }) => status.state === 'active')
        .map((silence) => silence.id)
        .sort(),
    ).toEqual([...ids].sort());
    expect(made.find((silence) => silence.id === id)?.status.state).toBe('expired');
  });

  it('changed by somebody else between reading and writing are read again', async () => {
    let meddle: (() => Promise<unknown>) | undefined;
    const app = createApp({
      wrapTable: (table): Table => ({
        ...table,
        async transact(writes) {
          const first = meddle;
          meddle = undefined;
          await first?.();
          return table.transact(writes);
        },
      }),
    });
    const id = await app.add();
    app.clock.nowMs += MINUTE;
    meddle = async () => {
      await app.ask('DELETE', `${PATH}/silence/${id}`);
      app.clock.nowMs += 1; // in the moment of its end it could still be made longer
    };
    const other = await app.add({ id, comment: 'longer' });
    expect(other).not.toBe(id);
    expect((await app.list()).map((silence) => [silence.id, silence.status.state, silence.comment])).toEqual([
      [other, 'active', 'longer'],
      [id, 'expired', 'quiet'],
    ]);
  });

  it('give up, as something to try again, where somebody else is always first', async () => {
    const app = createApp({
      wrapTable: (table): Table => ({
        ...table,
        async transact(writes) {
          const [put] = writes;
          if (put?.kind === 'put' && put.condition?.equals) await table.put({ ...put.item, silence: `${put.item.silence} ` });
          return table.transact(writes);
        },
      }),
    });
    const id = await app.add();
    app.clock.nowMs += MINUTE;
    const answer = await app.post(`${PATH}/silences`, { ...base, id, comment: 'longer' });
    expect([answer.status, answer.body]).toEqual([503, 'the silence is being changed by others all the time']);
  });
});
