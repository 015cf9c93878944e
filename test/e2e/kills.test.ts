import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { alignDown, DAY_MS, HOUR_MS, MINUTE_MS } from '#core/time.ts';
import { freePort } from '#test/aws/free-port.ts';
import { writeBody } from '#test/ingest/write-bodies.ts';
import { addRows, findFaults, type Samples } from '#test/storage/model.ts';
import { seededRandom } from '#test/storage/seeded-random.ts';
import type { Row } from '#test/storage/store.ts';
import { query, type RunningServer, startAndKill, startQuarterdeck } from './quarterdeck.ts';

const KILLS = 12;
const SEED = Number(process.env.QUARTERDECK_TEST_SEED ?? 1);
const ROWS = 20;
/** Past raw retention, so that it can be aggregated and expired. */
const HISTORY_DAYS = 20;
const LEASE_MS = 15 * MINUTE_MS;

interface Load {
  readonly url: string;
  readonly startMs: number;
  readonly acknowledged: Samples;
  readonly attempted: Samples;
  /** Days of history that were acknowledged, by the number of samples. */
  readonly history: Map<number, number>;
  requests: number;
  kills: number;
  isOver: boolean;
}

/** Sends until there is an answer that says yes, as a sender does whose server is down now and then. */
async function insist(load: Load, path: string, request: () => RequestInit): Promise<unknown> {
  for (let refusals = 0; ; ) {
    const answer = await fetch(`${load.url}${path}`, { method: 'POST', ...request() }).catch(() => undefined);
    const text = await answer?.text().catch(() => undefined);
    if (answer?.ok && text !== undefined) return text && JSON.parse(text);
    if (answer && text !== undefined && (answer.status !== 503 || ++refusals > 200)) throw new Error(`${path}: ${answer.status} ${text}`);
    await sleep(20);
  }
}

async function sendRows(load: Load, protocol: 'remote-write' | 'json-lines', rows: readonly Row[]): Promise<void> {
  const { path, headers, body } = writeBody(protocol, rows);
  await insist(load, path, () => ({ headers, body }));
  load.requests++;
}

/** Sends samples a millisecond apart, each with its own value, over and over. */
async function sendForEver(load: Load, protocol: 'remote-write' | 'json-lines', job: string): Promise<void> {
  for (let sent = 0; !load.isOver; sent += ROWS) {
    const rows = Array.from({ length: ROWS }, (_, i) => ({
      series: `killed_${i % 2 ? 'up' : 'load'},job=${job}`,
      ts: load.startMs + sent + i,
      value: sent + i,
    }));
    addRows(load.attempted, rows);
    await sendRows(load, protocol, rows);
    addRows(load.acknowledged, rows);
    await sleep(4);
  }
}

/** Runs a function as of a time ahead. A process that is killed leaves its lease behind: the next one's runs are as of when that is over. */
async function run(load: Load, name: string, aheadMs: number, event: object): Promise<unknown> {
  const result = await insist(load, `/2015-03-31/functions/${name}/invocations`, () => {
    const at = new Date(load.startMs + aheadMs + load.kills * (LEASE_MS + MINUTE_MS)).toISOString();
    return { body: JSON.stringify({ at, ...event }) };
  });
  expect(result).not.toHaveProperty('skipped');
  return result;
}

/** Sends one day of history after the other and takes each through all tiers, until only its aggregates are left. */
async function ageForEver(load: Load): Promise<void> {
  for (let day = HISTORY_DAYS; !load.isOver; day++) {
    const startMs = alignDown(load.startMs, DAY_MS) - day * DAY_MS;
    const rows = Array.from({ length: ROWS }, (_, i) => ({ series: `killed_history,day=${day}`, ts: startMs + i * HOUR_MS, value: i }));
    await sendRows(load, 'json-lines', rows);
    load.history.set(day, ROWS);
    await run(load, 'storage-compact', 2 * HOUR_MS, { force: true, graceMs: 0 });
    await run(load, 'storage-downsample', DAY_MS, { graceMs: 0 });
    await run(load, 'storage-expire', 2 * DAY_MS, {});
  }
  const { expired } = (await run(load, 'storage-expire', 2 * DAY_MS, { dryRun: true })) as { expired: readonly { tier: string }[] };
  expect(expired.filter(({ tier }) => tier === 'hot')).toEqual([]);
}

/** All raw samples of the load; fails where a time comes twice. */
async function readLoad(load: Load): Promise<Samples> {
  const found: Samples = new Map();
  const result = (await query(load.url, '{__name__=~"killed_(up|load)"}[2h]')) as unknown as {
    readonly metric: Readonly<Record<string, string>>;
    readonly values: readonly (readonly [number, string])[];
  }[];
  for (const { metric, values } of result) {
    const rows = values.map(([atS, value]) => ({
      series: `${metric.__name__},job=${metric.job}`,
      ts: Math.round(atS * 1_000),
      value: Number(value),
    }));
    expect(new Set(rows.map(({ ts }) => ts)).size).toBe(rows.length);
    addRows(found, rows);
  }
  return found;
}

/** Checks what the server has against what it acknowledged before it was asked. */
async function check(load: Load): Promise<void> {
  const [before, history] = [structuredClone(load.acknowledged), [...load.history]];
  expect(findFaults(await readLoad(load), before, load.attempted).slice(0, 3)).toEqual([]);
  for (const [day, count] of history) {
    const end = alignDown(load.startMs, DAY_MS) / 1_000 - (day - 1) * 86_400;
    const [counted, sum] = await Promise.all(
      ['count', 'sum'].map((func) => query(load.url, `${func}_over_time(killed_history{day="${day}"}[1d] @ ${end - 1})`)),
    );
    expect([counted?.[0]?.value[1], sum?.[0]?.value[1]]).toEqual([`${count}`, `${(count * (count - 1)) / 2}`]);
  }
}

describe('the embedded server, killed again and again under load', () => {
  let folder: string;
  let server: RunningServer | undefined;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'quarterdeck-kills-'));
  });
  afterEach(async () => {
    await server?.end('SIGKILL');
    await rm(folder, { recursive: true, force: true });
  });

  it(`has everything it acknowledged once after each of ${KILLS} kills, seed ${SEED}`, { timeout: 300_000 }, async () => {
    const random = seededRandom(SEED);
    const port = String(await freePort());
    const [dataDir, env] = [join(folder, 'data'), { PORT: port, QUARTERDECK_SELF: 'off' }];
    const load: Load = {
      url: `http://127.0.0.1:${port}`,
      startMs: Date.now() - 30 * MINUTE_MS,
      acknowledged: new Map(),
      attempted: new Map(),
      history: new Map(),
      requests: 0,
      kills: 0,
      isOver: false,
    };
    const senders = (['remote-write', 'json-lines', 'remote-write', 'json-lines'] as const).map((protocol, i) =>
      sendForEver(load, protocol, `${i}`),
    );
    const everything = Promise.all([...senders, ageForEver(load)]);
    const rounds = async () => {
      while (load.kills < KILLS) {
        server = await startQuarterdeck(dataDir, env);
        await check(load);
        const enough = load.requests + 5;
        while (load.requests < enough && !load.isOver) await sleep(5);
        await sleep(random() * 400);
        expect([await server.end('SIGKILL'), server.complaints()]).toEqual([null, '']);
        load.kills++;
        if (random() >= 0.25) continue;
        // One that is soon up answers, and takes leases, before it dies.
        await startAndKill(dataDir, env, 100 + random() * 400);
        load.kills++;
      }
      server = await startQuarterdeck(dataDir, env);
    };
    try {
      await Promise.race([rounds(), everything]);
    } finally {
      load.isOver = true;
    }
    await everything;
    await check(load);
    expect(findFaults(await readLoad(load), load.acknowledged, load.acknowledged)).toEqual([]);
    expect(load.history.size).toBeGreaterThan(1);
    expect([await server?.end('SIGTERM'), server?.complaints()]).toEqual([0, '']);
    server = undefined;
  });
});
