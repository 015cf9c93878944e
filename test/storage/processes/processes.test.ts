import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { alignDown, DAY_MS, HOUR_MS, isoDate, MINUTE_MS } from '#core/time.ts';
import { dynamoAbsence } from '#test/aws/dynamodb-server.ts';
import { S3_START_MS, s3Absence } from '#test/aws/s3-server.ts';
import { writeBody } from '#test/ingest/write-bodies.ts';
import { addRows, aggregatesOf, findFaults, findLooseEnds, findMiscounts, type Samples } from '#test/storage/model.ts';
import { seededRandom } from '#test/storage/seeded-random.ts';
import type { Row } from '#test/storage/store.ts';
import { METRICS } from './commands.ts';
import { type ControlledProcess, KilledError, startProcess } from './controlled-process.ts';
import { openWorld, type World } from './world.ts';

const absence = s3Absence ?? dynamoAbsence;
const DAY = Date.parse('2026-11-20T00:00:00Z');
const START = DAY + 20 * HOUR_MS;
/** Two days are over by then, and the history has been raw for more than its day. */
const END = DAY + 2 * DAY_MS + 2 * HOUR_MS;
const HISTORY = DAY - 4 * DAY_MS + 12 * HOUR_MS;
const SEED = Number(process.env.QUARTERDECK_TEST_SEED ?? 1);

interface Run {
  readonly world: World;
  readonly seed: number;
  readonly acknowledged: Samples;
  readonly attempted: Samples;
  /** Requests, runs and answers so far: what time and misfortune go by, so that a slow machine sees no less of them. */
  steps: number;
  isOver: boolean;
}

/** Runs a job over and over until the time is up. */
async function repeat(run: Run, job: () => Promise<void>): Promise<void> {
  while (!run.isOver) {
    try {
      await job();
    } catch (error) {
      if (!mayFail(error)) throw error;
    }
  }
}

/** A process that is killed, and what asks to be done again, are part of life here. */
function mayFail(error: unknown): boolean {
  return error instanceof KilledError || (error as { kind?: string }).kind === 'unavailable';
}

/** Does it until it is done, as a sender does who has got no answer. */
async function insist<T>(job: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await job();
    } catch (error) {
      if (!mayFail(error)) throw error;
      await sleep(10);
    }
  }
}

async function send(run: Run, process: ControlledProcess, protocol: 'remote-write' | 'json-lines', rows: readonly Row[]): Promise<void> {
  addRows(run.attempted, rows);
  await insist(() => process.tell('append', writeBody(protocol, rows)));
  addRows(run.acknowledged, rows);
  run.steps++;
}

/** `count` samples of two series, 10 s apart, the latest at a time. */
function rowsBefore(latestMs: number, count: number, job: string, random: () => number): Row[] {
  const aligned = alignDown(latestMs, 10_000);
  return Array.from({ length: count }, (_, i) => {
    return { series: `${METRICS[i % 2]},job=${job}`, ts: aligned - 10_000 * i, value: Math.floor(random() * 1_000) };
  });
}

/** Sends what is new, some of it late by up to six hours and some twice. */
async function write(run: Run, process: ControlledProcess, job: string): Promise<void> {
  const random = seededRandom(run.seed + job.charCodeAt(0));
  await send(run, process, 'json-lines', rowsBefore(HISTORY, 40, job, random));
  while (!run.isOver) {
    const lateMs = random() < 0.3 ? random() * 6 * HOUR_MS : 0;
    const rows = rowsBefore(run.world.clock.now() - lateMs, 1 + Math.floor(random() * 12), job, random);
    const protocol = random() < 0.5 ? 'remote-write' : 'json-lines';
    await send(run, process, protocol, rows);
    if (random() < 0.1) await insist(() => process.tell('append', writeBody(protocol, rows)));
  }
}

/** Queries and checks every answer; returns how many there were. */
async function read(run: Run, process: ControlledProcess, seed: number): Promise<number> {
  const random = seededRandom(seed);
  let answers = 0;
  await repeat(run, async () => {
    const before = structuredClone(run.acknowledged);
    if (random() < 0.5) {
      const { samples, fromMs } = await process.tell('readRaw', { backMs: DAY_MS });
      expect(findFaults(samples, since(fromMs, before), run.attempted).slice(0, 5)).toEqual([]);
    } else {
      const tier = random() < 0.5 ? 'warm' : 'cold';
      const found = await process.tell('readTier', { tier, startMs: HISTORY - DAY_MS });
      expect(findMiscounts(found, aggregatesOf(before, tier), aggregatesOf(run.attempted, tier)).slice(0, 5)).toEqual([]);
    }
    answers++;
    run.steps++;
  });
  return answers;
}

function since(startMs: number, samples: Samples): Samples {
  const kept = Array.from(samples, ([key, values]) => [key, new Map([...values].filter(([ts]) => ts >= startMs))] as const);
  return new Map(kept.filter(([, values]) => values.size > 0));
}

async function stepsPass(run: Run, count: number): Promise<void> {
  for (const enough = run.steps + count; run.steps < enough && !run.isOver; ) await sleep(10);
}

/**
 * Takes the clock to the end, in leaps. Where hours and days end and ten minutes after each day it arrives a second early, so that
 * the processes pass there one by one.
 */
async function passTime(run: Run): Promise<void> {
  const { world, seed } = run;
  const random = seededRandom(seed + 300);
  for (;;) {
    await stepsPass(run, 10 + random() * 30);
    const nowMs = world.clock.now();
    if (nowMs >= END) return;
    const next = nextBoundary(nowMs + 1_500) - 1_000;
    world.leapTo(random() < 0.4 ? next : Math.min(next, nowMs + random() * 80 * MINUTE_MS));
  }
}

/** The next end of an hour pair, or ten minutes after the next end of a day. */
function nextBoundary(afterMs: number): number {
  const slotMs = alignDown(afterMs, 2 * HOUR_MS) + 2 * HOUR_MS;
  const closeMs = alignDown(afterMs - 10 * MINUTE_MS, DAY_MS) + DAY_MS + 10 * MINUTE_MS;
  return Math.min(slotMs, closeMs);
}

async function killNowAndThen(run: Run, processes: readonly ControlledProcess[]): Promise<number> {
  const random = seededRandom(run.seed + 400);
  for (let kills = 0; ; kills++) {
    await stepsPass(run, 30 + random() * 90);
    await sleep(random() * 50);
    if (run.isOver) return kills;
    await processes[Math.floor(random() * processes.length)]?.kill();
  }
}

async function compact(process: ControlledProcess): Promise<void> {
  await process.tell('run', { name: 'storage-compact', event: {} });
  await sleep(50);
}

async function keep(process: ControlledProcess): Promise<void> {
  for (const name of ['storage-downsample', 'storage-expire', 'storage-sweep']) await process.tell('run', { name, event: {} });
}

/** Everybody at work on everything, until the clock is at its end; how many answers were checked and processes killed. */
async function work(run: Run, processes: readonly ControlledProcess[]): Promise<{ answers: number; kills: number }> {
  const writers = processes.slice(0, 3);
  const readers = processes.slice(6);
  const jobs = [
    ...[...writers, ...writers].map((process, i) => write(run, process, 'abcdef'.charAt(i))),
    ...processes.slice(3, 5).map((process) => repeat(run, () => compact(process))),
    ...processes.slice(5, 6).map((process) => repeat(run, () => keep(process))),
  ];
  const reads = [...readers, ...readers].map((process, i) => read(run, process, run.seed + 200 + i));
  const killing = killNowAndThen(run, processes);
  const everything = Promise.all([...jobs, ...reads, killing]);
  try {
    await Promise.race([passTime(run), everything]);
  } finally {
    run.isOver = true;
  }
  await everything;
  return { answers: (await Promise.all(reads)).reduce((sum, answers) => sum + answers, 0), kills: await killing };
}

describe.skipIf(absence !== undefined)(`eight processes over DynamoDB and S3${absence ? ` (${absence})` : ''}`, () => {
  let world: World;
  let processes: ControlledProcess[] = [];
  beforeAll(async () => {
    world = await openWorld(START);
  }, S3_START_MS);
  afterAll(async () => {
    await Promise.all(processes.map((process) => process.stop()));
    await world?.close();
  });

  it(`always answer with every acknowledged sample once, on clocks that differ and with kills at any moment, seed ${SEED}`, async () => {
    const run: Run = {
      world,
      seed: SEED,
      acknowledged: new Map(),
      attempted: new Map(),
      steps: 0,
      isOver: false,
    };
    processes = Array.from({ length: 8 }, (_, i) =>
      startProcess(world.program, {
        ...world.settings,
        seed: SEED + i,
        skewMs: Math.round(-2_000 + (4_000 / 7) * i),
        heedsLeases: i !== 4,
      }),
    );
    const { answers, kills } = await work(run, processes);
    const last = processes[5] as ControlledProcess;
    for (let hours = 0; hours < 6; hours += 2) {
      world.leapTo(world.clock.now() + 2 * HOUR_MS);
      await compact(last);
      await keep(last);
    }
    const { samples } = await last.tell('readRaw', { backMs: 2 * DAY_MS - HOUR_MS });
    expect(samples).toEqual(since(HISTORY + DAY_MS, run.acknowledged));
    for (const tier of ['warm', 'cold'] as const) {
      expect(await last.tell('readTier', { tier, startMs: HISTORY - DAY_MS })).toEqual(aggregatesOf(run.acknowledged, tier));
    }
    expect(findLooseEnds(await world.items(), await world.objects()).dangling).toEqual([]);
    world.leapTo(world.clock.now() + 26 * HOUR_MS);
    await last.tell('run', { name: 'storage-sweep', event: {} });
    const items = await world.items();
    expect(findLooseEnds(items, await world.objects())).toEqual({ dangling: [], orphans: [] });
    const blocksOf = (tier: string, dayMs: number) =>
      items.filter(({ pk, sk }) => pk === `blk/metrics/t/${tier}/${isoDate(dayMs)}` && sk !== 'head').length;
    expect(blocksOf('hot', HISTORY)).toBe(0);
    for (const dayMs of [HISTORY, DAY, DAY + DAY_MS]) expect([blocksOf('warm', dayMs), blocksOf('cold', dayMs)]).toEqual([1, 1]);
    expect(answers).toBeGreaterThan(10);
    expect(kills).toBeGreaterThan(2);
  }, 300_000);
});
