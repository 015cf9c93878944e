import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
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
