import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Decoded } from '#ingest/decoded.ts';
import { decodeOtlp } from '#ingest/otlp.ts';
import { STALE } from '#model/samples.ts';
import { corpus } from '#test/corpora.ts';
import { createTranslator } from './otlp-decode.ts';

const kit = corpus('../bench');
/** Resource attributes of the generated targets: on the samples of the other formats, on `target_info` here. */
const ofTarget = ['region'];

/** The bodies of the kit's payload file: 8 bytes, then length and number of samples before each body. */
function* bodiesOf(file: Buffer): Generator<{ body: Uint8Array; samples: number }> {
  for (let at = 8; at < file.length; ) {
    const length = file.readUInt32LE(at);
    yield { body: file.subarray(at + 8, at + 8 + length), samples: file.readUInt32LE(at + 4) };
    at += 8 + length;
  }
}

const keyOf = (labels: Iterable<readonly [string, string]>) =>
  JSON.stringify([...labels].filter(([name]) => !ofTarget.includes(name)).sort());

function collect({ batch }: Decoded, into: Map<string, Map<number, number>>): void {
  const samplesOf = batch.series.map((series) => {
    const key = keyOf([['__name__', series.metric], ...series.labels.map(({ name, value }) => [name, value] as const)]);
    if (!into.has(key)) into.set(key, new Map());
    return into.get(key) as Map<number, number>;
  });
  for (let i = 0; i < batch.ts.length; i++) {
    const value = (batch.flags[i] as number) & STALE ? Number.NaN : (batch.value[i] as number);
    samplesOf[batch.seriesIndex[i] as number]?.set(batch.ts[i] as number, value);
  }
}

function readLines(path: string): Map<string, Map<number, number>> {
  const all = new Map<string, Map<number, number>>();
  for (const line of readFileSync(path, 'utf8').split('\n').filter(Boolean)) {
    const { metric, values, timestamps } = JSON.parse(line);
    const key = keyOf(Object.entries(metric));
    const samples = all.get(key) ?? new Map<number, number>();
    timestamps.forEach((ts: number, i: number) => void samples.set(ts, values[i] ?? Number.NaN));
    all.set(key, samples);
  }
  return all;
}

function differences(decoded: Map<string, Map<number, number>>, expected: Map<string, Map<number, number>>): string[] {
  const found: string[] = [];
  for (const [key, samples] of expected) {
    const others = decoded.get(key);
    if (others?.size !== samples.size) found.push(`${key}: ${others?.size} samples instead of ${samples.size}`);
    for (const [ts, value] of samples) {
      if (!Object.is(others?.get(ts), value)) found.push(`${key} @${ts}: ${others?.get(ts)} instead of ${value}`);
    }
  }
  return found.slice(0, 10);
}

describe.skipIf(!kit)('bodies of the benchmark kit', () => {
  const folder = mkdtempSync(join(tmpdir(), 'otlp-'));
  beforeAll(() => {
    const options = ['--series', '200', '--hours', '6', '--jitter', '200', '--churn', '10', '--batch', '20000'];
    const files = ['--out-otlp', join(folder, 'otlp'), '--out-jsonl', join(folder, 'jsonl')];
    execFileSync(process.execPath, [join(kit as string, 'gen.mjs'), ...options, ...files]);
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it('hold sample for sample what the same data holds as JSON lines', () => {
    const translator = createTranslator();
    const decoded = new Map<string, Map<number, number>>();
    for (const { body, samples } of bodiesOf(readFileSync(join(folder, 'otlp')))) {
      const one = decodeOtlp({ translator }, body, 'protobuf');
      expect(one.rejections).toEqual([]);
      const info = one.batch.series.filter((series) => series.metric === 'target_info').length;
      expect(one.batch.ts.length).toBeGreaterThanOrEqual(samples + info);
      collect(one, decoded);
    }
    for (const key of [...decoded.keys()]) if (key.includes('"target_info"')) decoded.delete(key);
    const expected = readLines(join(folder, 'jsonl'));
    const stale = [...expected.values()].flatMap((samples) => [...samples.values()]).filter(Number.isNaN).length;
    expect(stale).toBeGreaterThan(0);
    expect(decoded.size).toBe(expected.size);
    expect(differences(decoded, expected)).toEqual([]);
  });
});
