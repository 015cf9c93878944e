import { describe, expect, it } from 'vitest';
import { inboxWrite, listWholeInbox, openEntry } from '#alerts/dispatch/inbox.ts';
import { type CorrelateDeps, correlateAlerts } from '#alerts/incidents/correlate-alerts.ts';
import { listClosed, readIncidents, readMemberships } from '#alerts/incidents/incident-store.ts';
import { DEFAULT_SETTINGS, type IncidentSettings } from '#alerts/incidents/settings.ts';
import { OpsError } from '#core/errors.ts';
import type { Alert } from '#model/alert.ts';
import type { BusEvent } from '#ports/bus.ts';
import { createMemoryBlobs } from '#ports/memory/memory-blobs.ts';
import { createMemoryTable } from '#ports/memory/memory-table.ts';
import type { Table } from '#ports/table.ts';
import { alertOf, minute } from './make-alerts.ts';

/** Alerts in the inbox of one tenant, where they stay: nobody dispatches. */
function createWorld(more: Partial<IncidentSettings> = {}) {
  const [table, blobs] = [createMemoryTable(), createMemoryBlobs()];
  let ids = 0;
  let nowMs = 0;
  const deps: CorrelateDeps = {
    ...{ table, blobs },
    now: () => nowMs,
    newId: () => `id${ids++}`,
    settings: async () => ({ ...DEFAULT_SETTINGS, ...more }),
    incidentUrl: (id) => `https://q.example/${id}`,
  };
  return {
    ...{ table, blobs, deps },
    async tell(at: number, ...alerts: readonly Alert[]) {
      nowMs = at * minute;
      await table.transact([await inboxWrite(deps, 't', alerts, nowMs)]);
    },
    async run(at: number, through: Table = table) {
      nowMs = at * minute;
      return (await correlateAlerts({ ...deps, table: through }, ['t']))[0];
    },
    events: () =>
      table
        .items()
        .filter(({ pk }) => pk === 'outbox')
        .map(({ event }) => JSON.parse(String(event)) as BusEvent),
    /** What was told of incidents as alerts, in order. */
    async told() {
      const entries = await Promise.all((await listWholeInbox(table, 't')).map((entry) => openEntry(deps, entry)));
      return entries
        .flatMap((alerts) => alerts ?? [])
        .filter(({ labels }) => labels.alertname === 'Incident')
        .map(
          ({ labels, endsAtMs }) =>
            `${labels.incident?.slice(0, 9)} ${labels.severity ?? '-'} ${Number.isFinite(endsAtMs) ? 'over' : 'fires'}`,
        );
    },
  };
}

const pair = (node: string, severity = 'warning') =>
  ['A', 'B'].map((alertname) => alertOf({ alertname: `${alertname}-${node}`, node, severity }));

describe('correlating', () => {
  it('tells of a merger: by events, by the alert that is over, and by the incident that is kept', async () => {
    const world = createWorld({ alertLabels: { team: 'sre' } });
    await world.tell(0, ...pair('n1'));
    expect(await world.run(0)).toMatchObject({ opened: 1, open: 1 });
    await world.tell(1, ...pair('n2'));
    expect(await world.run(1)).toMatchObject({ opened: 1, open: 2 });
    await world.tell(2, alertOf({ alertname: 'C', node: 'n1', rack: 'r' }, 2), alertOf({ alertname: 'D', node: 'n2', rack: 'r' }, 2));
    expect(await world.run(2)).toMatchObject({ opened: 0, merged: 1, open: 1 });
    expect(world.events().map(({ detailType }) => detailType)).toEqual(['Incident Opened', 'Incident Opened', 'Incident Merged']);
    const [first, second] = ['000000000', '000001aao'];
    expect((await world.told()).slice(-2)).toEqual([`${second} warning over`, `${first} warning fires`]);
    const { incidents } = await listClosed(world.table, 't', { limit: 10 });
    expect(incidents).toMatchObject([{ incident: { status: 'merged', alerts: 2 }, members: [{}, {}] }]);
    const memberships = await readMemberships(world.deps, 't');
    expect([memberships.size, new Set(memberships.values()).size]).toEqual([6, 1]);
  });

  it('makes another alert of an incident whose severity rises', async () => {
    const world = createWorld({ alertLabels: {} });
    await world.tell(0, ...pair('n1'));
    await world.run(0);
    await world.tell(1, alertOf({ alertname: 'C', node: 'n1', severity: 'critical' }, 1));
    await world.run(1);
    expect(await world.told()).toEqual(['000000000 warning fires', '000000000 warning over', '000000000 critical fires']);
  });

  it('tells nobody of alerts that incidents are not, but of their end', async () => {
    const settings = { resolveAfterMs: 0 };
    const world = createWorld(settings);
    await world.tell(0, ...pair('n1').map((alert) => ({ ...alert, endsAtMs: minute })));
    await world.run(0);
    expect(await world.told()).toEqual([]);
    expect(await world.run(1)).toMatchObject({ resolved: 1, open: 0 });
    expect(await world.told()).toEqual(['000000000 warning over']);
  });

  it('writes nothing and takes no lease where there is nothing to do', async () => {
    const world = createWorld();
    expect(await world.run(0)).toBeUndefined();
    expect(world.table.items()).toEqual([]);
  });

  it('gives way to one who was first', async () => {
    const world = createWorld();
    await world.tell(0, ...pair('n1'));
    const losing = { ...world.table, transact: () => Promise.reject(new OpsError('conflict', 'no')) };
    expect(await world.run(0, losing)).toMatchObject({ conflict: true, opened: 0 });
    expect([world.events(), (await readIncidents(world.deps, 't')).state.clusters]).toEqual([[], []]);
  });

  it('writes more than fits one transaction in parts, and loses none where it dies in between', async () => {
    const world = createWorld({ windowMs: minute });
    const nodes = Array.from({ length: 200 }, (_, i) => `n${i}`);
    await world.tell(0, ...nodes.flatMap((node) => pair(node)));
    let commits = 0;
    const dying = {
      ...world.table,
      transact: (writes: Parameters<Table['transact']>[0]) =>
        ++commits === 2 ? Promise.reject(new Error('died')) : world.table.transact(writes),
    };
    await expect(world.run(0, dying)).rejects.toThrow('died');
    expect(world.events()).toHaveLength(80);
    await world.run(1);
    const ids = world.events().map(({ detail }) => String(detail.id));
    expect([ids.length, new Set(ids).size]).toEqual([200, 200]);
    expect((await readIncidents(world.deps, 't')).pending).toEqual([]);
  });

  it('leaves one object behind, however often it runs', async () => {
    const world = createWorld({ windowMs: minute });
    for (const at of [0, 1, 2]) {
      await world.tell(at, ...Array.from({ length: 300 }, (_, i) => alertOf({ alertname: `A${at}-${i}`, pod: `p${i}` }, at)));
      await world.run(at);
    }
    expect([...world.blobs.stored.keys()].filter((key) => key.startsWith('alerts/t/incidents'))).toHaveLength(1);
  });
});
