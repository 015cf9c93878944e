import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { listReports } from '#backups/drills/report-store.ts';
import { findSnapshot } from '#backups/repository/snapshots.ts';
import { runRestore } from '#backups/restore/run-restore.ts';
import { filesInHand } from '#config/pushed-config.ts';
import { readSettings } from '#config/settings.ts';
import { loadWholeConfig } from '#functions/whole-config.ts';
import { openApp } from '#local/app.ts';
import { openLocalPlaces } from '#local/backup/places.ts';
import { openNamedRepository } from '#local/cli/backups/open-repository.ts';
import { startServer } from '#local/serve.ts';
import { startQuarterdeck } from '#test/e2e/quarterdeck.ts';

const bin = resolve(import.meta.dirname, '..', '..', '..', 'bin', 'quarterdeck.js');
const passphrase = 'correct horse';
const rules = 'groups: [{name: g, rules: [{alert: Always, expr: vector(1)}, {record: job:up:sum, expr: sum(up)}]}]';
const backups = (repo: string) => `
repositories: {main: {at: ${JSON.stringify(repo)}}}
backups: [{name: self, source: 'quarterdeck:', repository: main, schedule: 'rate(1 day)'}]
drills:
  - name: self
    backup: self
    schedule: rate(1 day)
    checks:
      - {query: count(up), equals: 1500}
      - {atLeast: 1, kind: blob}
  - name: wrong
    backup: self
    schedule: rate(1 day)
    checks: [{query: count(up), equals: 7}]
`;

describe('a Quarterdeck that is backed up', () => {
  let dir: string;
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'quarterdeck-self-'));
    await mkdir(join(dir, 'config/rules'), { recursive: true });
    await writeFile(join(dir, 'config/rules/a.yaml'), rules);
    await writeFile(join(dir, 'config/backups.yaml'), backups(join(dir, 'repo')));
  });
  afterAll(() => rm(dir, { recursive: true }));

  const envOf = (data: string) => ({
    QUARTERDECK_DATA: join(dir, data),
    QUARTERDECK_CONFIG: join(dir, 'config'),
    QUARTERDECK_SCHEDULES: 'off',
    QUARTERDECK_SELF: 'off',
    QUARTERDECK_BACKUP_PASSPHRASE: passphrase,
    PORT: '0',
  });
  const settingsOf = (data: string) => readSettings(envOf(data));
  const run = async (...args: string[]) => {
    const { stdout } = await promisify(execFile)(process.execPath, [bin, ...args], { env: { PATH: process.env.PATH, ...envOf('first') } });
    return stdout;
  };
  /** What a server says of samples, series, rules and alerts. */
  const ask = async (url: string, atS: number) => {
    const range = `start=${atS - 4_000}&end=${atS}&step=60`;
    const paths = [
      `/api/v1/query_range?query=sum by (job)(up)&${range}`,
      `/api/v1/query_range?query=up&${range}`,
      `/api/v1/series?match[]=up&start=${atS - 4_000}&end=${atS}`,
      '/api/v1/alerts',
    ];
    const answers: unknown[] = [];
    for (const path of paths) {
      const response = await fetch(new URL(path, url));
      expect([path, response.status]).toEqual([path, 200]);
      answers.push(await response.json());
    }
    return answers;
  };
  const importBatch = async (url: string, batch: number, nowS: number) => {
    const lines = Array.from(
      { length: 1_500 },
      (_, i) => `up{job="j${i % 5}",instance="host-${i}"} ${i + batch} ${(nowS - 60 * (batch + 1)) * 1_000}`,
    );
    const response = await fetch(new URL('/api/v1/import/prometheus', url), { method: 'POST', body: `${lines.join('\n')}\n` });
    expect(response.ok).toBe(true);
  };

  it('while it runs, answers the same queries in the same way from another data folder', async () => {
    const nowS = Math.floor(Date.now() / 1_000);
    const app = await openApp(settingsOf('first'));
    const server = await startServer(settingsOf('first'), () => undefined);
    for (let batch = 0; batch < 2; batch++) await importBatch(server.url, batch, nowS);
    await app.invoke('storage-compact', {});
    await app.invoke('alerts-evaluate', {});
    await app.ports.bus.idle();
    // Into segments that are not compacted yet.
    await importBatch(server.url, 2, nowS);
    await app.close();
    await server.close();

    const running = await startQuarterdeck(join(dir, 'first'), envOf('first'));
    try {
      expect(await run('backup', 'quarterdeck:', '--repo', join(dir, 'repo'), '--host', 'quarterdeck')).toContain('quarterdeck:');
      const other = `quarterdeck:${join(dir, 'second')}`;
      expect(await run('restore', 'latest', '--repo', join(dir, 'repo'), '--to', other, '--dry-run')).toContain('would create');
      expect(existsSync(join(dir, 'second'))).toBe(false);
      expect(await run('restore', 'latest', '--repo', join(dir, 'repo'), '--to', other)).toContain('created');
      const expected = await ask(running.url, nowS);
      expect(JSON.stringify(expected[1])).toContain('host-1499');
      expect(JSON.stringify(expected[3])).toContain('Always');
      const restored = await startServer(settingsOf('second'), () => undefined);
      expect(await ask(restored.url, nowS)).toEqual(expected);
      await restored.close();
    } finally {
      await running.end('SIGTERM');
    }
  }, 120_000);

  it('is not restored over one that has data, and is missing where there is none', async () => {
    const to = `quarterdeck:${join(dir, 'first')}`;
    await expect(run('restore', 'latest', '--repo', join(dir, 'repo'), '--to', to)).rejects.toThrow(/is not empty/);
    await expect(run('backup', `quarterdeck:${join(dir, 'nowhere')}`, '--repo', join(dir, 'repo'))).rejects.toThrow(/no data folder/);
    expect(existsSync(join(dir, 'nowhere'))).toBe(false);
  }, 120_000);

  it('goes on being restored where that was interrupted, and takes no second restore once it is whole', async () => {
    const places = openLocalPlaces({ dataDir: join(dir, 'first'), config: await loadWholeConfig(filesInHand([])) });
    const { repository } = await openNamedRepository(places, join(dir, 'repo'), { passphrase });
    const snapshot = await findSnapshot(repository, 'latest');
    const to = `quarterdeck:${join(dir, 'third')}`;
    const restoreUntil = async (looks: number) => {
      let look = 0;
      const target = await places.openTarget(to, {});
      const remainingMs = () => (++look > looks ? 0 : Number.POSITIVE_INFINITY);
      return await runRestore({ repository, snapshot, target, remainingMs }).finally(() => target.close?.());
    };
    for (let run = 0; ; run++) {
      expect(await places.isEmpty(to)).toBe(true);
      // From the beginning, as a command that is given again.
      const { state, missing } = await restoreUntil(run);
      expect(missing).toEqual([]);
      if (state === 'done') break;
    }
    expect(await places.isEmpty(to)).toBe(false);
    await expect(restoreUntil(9)).rejects.toMatchObject({ kind: 'conflict', message: expect.stringContaining('has data already') });
  }, 120_000);

  it('is drilled, asked as of its moment, and nothing of it is left', async () => {
    const before = (await readdir(tmpdir())).filter((name) => name.startsWith('quarterdeck-drill-'));
    process.env.QUARTERDECK_BACKUP_PASSPHRASE = passphrase;
    const app = await openApp(settingsOf('first'));
    try {
      expect(await app.invoke('backups-drill', { name: 'self' })).toMatchObject({ jobs: [{ state: 'done' }] });
      expect(await app.invoke('backups-drill', { name: 'wrong' })).toMatchObject({
        jobs: [{ state: 'failed', sentence: expect.stringContaining('it gives 1500') }],
      });
      expect(await app.invoke('backups-capture', {})).toEqual({ jobs: [] });
      const reports = (await listReports(app.ports.table, 10)).reports.map(({ text }) => JSON.parse(text));
      expect(reports.map(({ status }) => status).sort()).toEqual(['FAILED', 'SUCCESSFUL']);
      expect(reports[0].compared).toMatchObject({ differenceCount: 0 });
      expect(reports[0].compared.items).toBeGreaterThan(0);
    } finally {
      await app.close();
      delete process.env.QUARTERDECK_BACKUP_PASSPHRASE;
    }
    const after = (await readdir(tmpdir())).filter((name) => name.startsWith('quarterdeck-drill-'));
    expect(after.filter((name) => !before.includes(name))).toEqual([]);
  }, 120_000);
});
