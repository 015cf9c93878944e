import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openSelfSource } from '#backups/self/self-source.ts';
import { openSelfTarget } from '#backups/self/self-target.ts';
import { readSettings } from '#config/settings.ts';
import { openApp } from '#local/app.ts';
import { openLocal } from '#local/open.ts';
import { startServer } from '#local/serve.ts';
import { createSqliteDump } from '#local/sqlite-dump.ts';
import { restoreAll, takeAll } from '#test/aws/backup/table-fixtures.ts';

describe('a Quarterdeck that is restored into another data folder', () => {
  let dir: string;
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'quarterdeck-self-'));
    await mkdir(join(dir, 'config/rules'), { recursive: true });
    const rules = 'groups: [{name: g, rules: [{alert: Always, expr: vector(1)}, {record: job:up:sum, expr: sum(up)}]}]';
    await writeFile(join(dir, 'config/rules/a.yaml'), rules);
  });
  afterAll(() => rm(dir, { recursive: true }));

  const settingsOf = (data: string) =>
    readSettings({ QUARTERDECK_DATA: join(dir, data), QUARTERDECK_CONFIG: join(dir, 'config'), QUARTERDECK_SCHEDULES: 'off', PORT: '0' });
  /** What it says of samples, series, rules and alerts. */
  const ask = async (data: string, atS: number) => {
    const server = await startServer(settingsOf(data), () => undefined);
    try {
      const range = `start=${atS - 4_000}&end=${atS}&step=60`;
      const paths = [
        `/api/v1/query_range?query=sum by (job)(up)&${range}`,
        `/api/v1/query_range?query=up&${range}`,
        `/api/v1/series?match[]=up&start=${atS - 4_000}&end=${atS}`,
        '/api/v1/alerts',
      ];
      const answers: unknown[] = [];
      for (const path of paths) {
        const response = await fetch(new URL(path, server.url));
        expect([path, response.status]).toEqual([path, 200]);
        answers.push(await response.json());
      }
      return answers;
    } finally {
      await server.close();
    }
  };

  it('answers the same queries in the same way', async () => {
    const nowS = Math.floor(Date.now() / 1_000);
    const server = await startServer(settingsOf('first'), () => undefined);
    for (let batch = 0; batch < 3; batch++) {
      const lines = Array.from(
        { length: 1_500 },
        (_, i) => `up{job="j${i % 5}",instance="host-${i}"} ${i + batch} ${(nowS - 600 * (batch + 1)) * 1_000}`,
      );
      const response = await fetch(new URL('/api/v1/import/prometheus', server.url), { method: 'POST', body: `${lines.join('\n')}\n` });
      expect(response.ok).toBe(true);
    }
    await server.close();
    const app = await openApp(settingsOf('first'));
    await app.invoke('storage-compact', {});
    await app.invoke('alerts-evaluate', {});
    await app.ports.bus.idle();
    const table = join(dir, 'first', 'table.db');
    const source = openSelfSource({ dump: createSqliteDump(table, Date.now), blobs: app.ports.blobs });
    const { items } = await takeAll(source);
    await source.close();
    await app.close();
    expect(items.filter(({ kind }) => kind === 'blob').length).toBeGreaterThan(0);

    const empty = await openLocal(join(dir, 'second'), Date.now);
    expect(await restoreAll(openSelfTarget(empty), items, 100_000)).toEqual([]);
    await empty.close();
    const expected = await ask('first', nowS);
    expect(JSON.stringify(expected[1])).toContain('host-1499');
    expect(JSON.stringify(expected[3])).toContain('Always');
    expect(await ask('second', nowS)).toEqual(expected);
  }, 60_000);
});
