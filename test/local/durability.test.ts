import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type LocalPorts, openLocal } from '#local/open.ts';

const ROUNDS = 8;
const writer = join(import.meta.dirname, 'durability-writer.ts');

/** Lets a process write for a random time from its first acknowledgement on, then kills it. */
async function writeUntilKilled(folder: string, acknowledgedPath: string): Promise<void> {
  const before = existsSync(acknowledgedPath) ? (await stat(acknowledgedPath)).size : 0;
  const child = spawn(process.execPath, [writer, folder, acknowledgedPath], { stdio: ['ignore', 'ignore', 'pipe'] });
  let complaint = '';
  child.stderr.on('data', (text) => {
    complaint += text;
  });
  const ended = once(child, 'exit');
  while (child.exitCode === null && (!existsSync(acknowledgedPath) || (await stat(acknowledgedPath)).size === before)) await sleep(5);
  await sleep(20 + Math.random() * 250);
  child.kill('SIGKILL');
  const [, signal] = await ended;
  expect({ signal, complaint: signal === 'SIGKILL' ? '' : complaint }).toEqual({ signal: 'SIGKILL', complaint: '' });
}

async function sortKeys({ table }: LocalPorts, pk: string): Promise<Set<string>> {
  const found = new Set<string>();
  for (let after: string | undefined; ; ) {
    const page = await table.query({ pk, after });
    for (const item of page.items) found.add(item.sk);
    if (page.next === undefined) return found;
    after = page.next;
  }
}

/** Keys of all objects, each of which must be whole. */
async function wholeObjects({ blobs }: LocalPorts): Promise<Set<string>> {
  const found = new Set<string>();
  for (let after: string | undefined; ; ) {
    const page = await blobs.list('', { after });
    for (const { key } of page.entries) {
      const id = key.slice('objects/a/'.length, -'.seg'.length);
      expect(Buffer.compare(await blobs.get(key), Buffer.alloc(20_000, id))).toBe(0);
      found.add(id);
    }
    if (page.next === undefined) return found;
    after = page.next;
  }
}

describe('a data folder whose process is killed', () => {
  let root: string;
  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'quarterdeck-durability-'));
  });
  afterAll(() => rm(root, { recursive: true, force: true }));

  it(`has everything acknowledged, and nothing by halves, after each of ${ROUNDS} kills`, async () => {
    const folder = join(root, 'data');
    const acknowledgedPath = join(root, 'acknowledged');
    const kinds = ['put', 'pair', 'count', 'gone', 'blob', 'event'] as const;
    const acknowledged = Object.fromEntries(kinds.map((kind) => [kind, new Set<string>()])) as Record<(typeof kinds)[number], Set<string>>;
    for (let round = 0; round < ROUNDS; round++) {
      await writeUntilKilled(folder, acknowledgedPath);
      for (const line of (await readFile(acknowledgedPath, 'utf8')).trim().split('\n')) {
        const [kind, id] = line.split(' ') as [(typeof kinds)[number], string];
        acknowledged[kind].add(id);
      }
      const ports = await openLocal(folder, Date.now);
      const puts = await sortKeys(ports, 'put');
      expect([...acknowledged.put].filter((id) => !puts.has(id))).toEqual([]);
      const left = await sortKeys(ports, 'left');
      expect([...acknowledged.pair].filter((id) => !left.has(id))).toEqual([]);
      expect(await sortKeys(ports, 'right')).toEqual(left);
      const gone = await sortKeys(ports, 'gone');
      expect([...acknowledged.gone].filter((id) => gone.has(id))).toEqual([]);
      const count = (await ports.table.get({ pk: 'count', sk: 'all' }))?.n ?? 0;
      expect(count).toBeGreaterThanOrEqual(Math.max(0, ...[...acknowledged.count].map(Number)));
      expect(count).toBeLessThanOrEqual(acknowledged.count.size + 3 * (round + 1));
      const objects = await wholeObjects(ports);
      expect([...acknowledged.blob].filter((id) => !objects.has(id))).toEqual([]);
      await ports.close();
    }
    const delivered = new Set<unknown>();
    const ports = await openLocal(folder, Date.now);
    const pattern = { source: ['quarterdeck.test'], 'detail-type': ['Thing Happened'] };
    ports.bus.subscribe({ name: 'never done', pattern, handle: async ({ detail }) => void delivered.add(detail.id) });
    await ports.bus.resume();
    await ports.bus.idle();
    await ports.close();
    expect([...acknowledged.event].filter((id) => !delivered.has(id))).toEqual([]);
    for (const kind of kinds) expect(acknowledged[kind].size).toBeGreaterThan(ROUNDS);
  }, 120_000);
});
