import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { createImport } from '#ingest/imports/create-import.ts';
import type { AppendInput } from '#ports/sample-store.ts';
import { importWorld, START, TENANT } from './import-world.ts';

const MIB = 1024 * 1024;
const LINE_BYTES = 64;
const LINES = (50 * MIB) / LINE_BYTES;

describe('an import of 50 MB', () => {
  it('holds a few blocks at a time, whatever the file has', async () => {
    const world = importWorld();
    const { id } = await createImport(world, { tenant: TENANT, format: 'prometheus' });
    const ranges: number[] = [];
    const blobs = {
      ...world.blobs,
      list: async (key: string) => ({ entries: [{ key, sizeBytes: LINES * LINE_BYTES, modifiedAtMs: START }] }),
      get: async (_: string, range = { start: 0, end: LINES * LINE_BYTES }) => {
        ranges.push(range.end - range.start);
        return linesBetween(range.start, range.end);
      },
    };
    const heldBytes = createGauge();
    let appends = 0;
    let samples = 0;
    const append = async ({ batch }: AppendInput) => {
      samples += batch.ts.length;
      if (appends++ % 4 === 0) heldBytes.read();
    };
    const process = world.process({ blobs, table: world.table });
    const deps = { ...process, ingest: { ...process.ingest, store: { append } } };
    expect(await world.run(id, {}, deps)).toMatchObject({ outcome: 'done', accepted: LINES, rejected: 0 });
    expect(samples).toBe(LINES);
    expect(Math.max(...ranges)).toBeLessThanOrEqual(2 * MIB);
    expect(heldBytes.most()).toBeLessThan(40 * MIB);
  });
});

/** Any part of a file of lines of one length. */
function linesBetween(start: number, end: number): Uint8Array {
  const lines: string[] = [];
  for (let line = Math.floor(start / LINE_BYTES); line * LINE_BYTES < end; line++) {
    lines.push(`requests{path="/p${line % 500}"} ${line} ${START - line}`.padEnd(LINE_BYTES - 1));
  }
  const offset = start % LINE_BYTES;
  return Buffer.from(`${lines.join('\n')}\n`).subarray(offset, offset + end - start);
}

/** Memory that is in use beyond what was at first. */
function createGauge() {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const used = () => {
    collect();
    const { heapUsed, external } = process.memoryUsage();
    return heapUsed + external;
  };
  const before = used();
  let most = 0;
  return {
    read() {
      most = Math.max(most, used() - before);
    },
    most: () => most,
  };
}
