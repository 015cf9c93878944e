import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { listInbox, openEntry } from '#alerts/dispatch/inbox.ts';
import { readSettings } from '#config/settings.ts';
import { openApp } from '#local/app.ts';
import { outboxWrite } from '#ports/outbox.ts';

it('a process that empties the outbox by hand starts what the events start', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'quarterdeck-app-'));
  const app = await openApp(readSettings({ QUARTERDECK_DATA: dataDir }));
  try {
    const detail = { id: 'event-1', tenant: 'default', at: '2026-11-23T10:00:00Z', uploadId: 'gone' };
    await app.ports.table.transact([outboxWrite({ source: 'quarterdeck.ingest', detailType: 'Import Continued', detail })]);
    expect(await app.invoke('events-publish', {})).toEqual({ sent: 1 });
    await app.ports.bus.idle();
    const runs = app.own.registry
      .collect()
      .flatMap(({ samples }) => samples.filter(({ name }) => name === 'quarterdeck_function_runs_total'));
    expect(runs.map(({ labels }) => labels)).toContainEqual({ function: 'ingest-import', outcome: 'done' });
    expect((await app.ports.table.query({ pk: 'local/bus' })).items).toEqual([]);
  } finally {
    await app.close();
    await rm(dataDir, { recursive: true });
  }
});

it.each([
  ['names the address that it listens at, once it listens', {}, 'http://127.0.0.1:4321'],
  ['names the address that the settings say', { QUARTERDECK_EXTERNAL_URL: 'https://deck.test/' }, 'https://deck.test'],
])('a process on any free port %s', async (_, variables, url) => {
  const dir = await mkdtemp(join(tmpdir(), 'quarterdeck-app-'));
  await mkdir(join(dir, 'config/rules'), { recursive: true });
  await writeFile(join(dir, 'config/rules/a.yaml'), 'groups: [{name: a, rules: [{alert: Always, expr: vector(1)}]}]');
  const settings = { QUARTERDECK_DATA: join(dir, 'data'), QUARTERDECK_CONFIG: join(dir, 'config'), PORT: '0', ...variables };
  const app = await openApp(readSettings(settings));
  try {
    app.listensAt('http://127.0.0.1:4321');
    await app.invoke('alerts-evaluate', {});
    const [entry] = await listInbox(app.ports.table, 'default');
    expect(await openEntry(app.ports, entry)).toMatchObject([{ generatorUrl: `${url}/graph?g0.expr=vector(1)&g0.tab=1` }]);
  } finally {
    await app.close();
    await rm(dir, { recursive: true });
  }
});
