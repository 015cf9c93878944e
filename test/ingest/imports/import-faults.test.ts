import { zstdCompressSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { isOpsError } from '#core/errors.ts';
import { importObjectKey } from '#ingest/imports/import-record.ts';
import { readImport } from '#ingest/imports/read-import.ts';
import { CrashError, FAULTS, type Fault, faultAt, faulty } from '#ports/faulty.ts';
import { importWorld, TENANT, textOf } from './import-world.ts';

// Two blocks of few lines, which are quick to decode.
const LINES = 5_000;
const { text, good, bad } = textOf(LINES);
const body = zstdCompressSync(text.replaceAll('up{', `up{pad="${'x'.repeat(500)}",`));

/** Imports block by block with one fault on the way, restarting as events would. Returns how many calls that took. */
async function importWithFault(number: number, fault: Fault): Promise<number> {
  const world = importWorld();
  const id = await world.upload(body);
  const { ports, calls, settle, crashed } = faulty({ blobs: world.blobs, table: world.table }, faultAt(number, fault));
  for (let runs = 0, outcome: string | undefined; outcome !== 'done'; runs++) {
    expect(runs).toBeLessThan(6);
    const deps = world.process(crashed() ? undefined : ports);
    outcome = await world.run(id, { remainingMs: () => 0 }, deps).then((result) => result.outcome, redeliver);
  }
  await settle();
  expect(await world.run(id)).toMatchObject({ outcome: 'done' }); // the event once more
  const { tally } = await readImport(world, { tenant: TENANT, id });
  expect(tally).toMatchObject({ lines: LINES, accepted: good, rejectedLines: bad });
  expect(world.blobs.stored.has(importObjectKey({ tenant: TENANT, id }))).toBe(false);
  const finished = world.events().filter((event) => event.detailType === 'Import Finished');
  expect(finished).toMatchObject([{ detail: { uploadId: id, accepted: good, rejected: bad } }]);
  const samples = await world.samples('up');
  expect(samples).toHaveLength(good);
  expect(new Set(samples).size).toBe(good);
  return calls.length;
}

/** What a run throws asks for its event to be delivered again. */
function redeliver(error: unknown): undefined {
  if (!(error instanceof CrashError) && !isOpsError(error, 'unavailable')) throw error;
}

describe('an import on ports that fail', () => {
  it.each(FAULTS)(
    'takes every sample once, %s at any call',
    async (fault) => {
      const calls = await importWithFault(0, fault);
      expect(calls).toBeGreaterThan(25);
      for (let number = 1; number <= calls; number++) await importWithFault(number, fault);
    },
    120_000,
  );
});
