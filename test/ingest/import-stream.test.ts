import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodePrometheusText } from '#ingest/exposition.ts';
import { decodeLines, type ImportBlock, type ImportOptions } from '#ingest/import-stream.ts';
import type { RejectedLine } from '#ingest/line-run.ts';
import { splitLines } from '#ingest/split-lines.ts';
import { bytes, rowsOf, testContext } from './decoded-rows.ts';

async function* streamOf(chunks: Iterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield* chunks;
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

function cut(body: Uint8Array, sizes: readonly number[]): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  let at = 0;
  for (const size of sizes) {
    chunks.push(body.slice(at, at + size));
    at += size;
  }
  return [...chunks, body.slice(at)];
}

async function decodeAll(text: string, sizes: readonly number[], options: Partial<ImportOptions> = {}): Promise<ImportBlock[]> {
  return await collect(decodeLines(streamOf(cut(bytes(text), sizes)), testContext(), { format: 'prometheus', blockBytes: 8, ...options }));
}

const anyCut = fc.array(fc.nat({ max: 12 }), { maxLength: 30 });

describe('splitLines', () => {
  it('gives back every byte in blocks of whole lines, however the stream is cut', async () => {
    const text = fc.array(fc.constantFrom('a', 'bc', '\n', '\u00e9'), { maxLength: 60 }).map((pieces) => pieces.join(''));
    await fc.assert(
      fc.asyncProperty(text, anyCut, fc.integer({ min: 1, max: 20 }), async (body, sizes, blockBytes) => {
        const blocks = await collect(splitLines(streamOf(cut(bytes(body), sizes)), { blockBytes }));
        expect(blocks.map((block) => Buffer.from(block.bytes).toString()).join('')).toBe(body);
        let line = 1;
        for (const [index, block] of blocks.entries()) {
          expect(block.firstLine).toBe(line);
          const isLast = index === blocks.length - 1;
          if (!isLast) expect(block.bytes.at(-1)).toBe(10);
          if (block.lines > 1) expect(block.sizeBytes).toBeLessThanOrEqual(blockBytes);
          line += block.lines;
        }
        expect(line - 1).toBe(body === '' ? 0 : body.replace(/\n$/, '').split('\n').length);
      }),
    );
  });

  it('cuts the rest as before when it begins again at the end of a block', async () => {
    const text = fc.array(fc.constantFrom('a', 'bcdefgh', '\n', '\n', 'x'.repeat(40)), { maxLength: 60 }).map((pieces) => pieces.join(''));
    await fc.assert(
      fc.asyncProperty(text, anyCut, anyCut, fc.nat(), async (body, sizes, otherSizes, choice) => {
        const options = { blockBytes: 10, maxLineBytes: 30 };
        const whole = await collect(splitLines(streamOf(cut(bytes(body), sizes)), options));
        expect(whole.reduce((sum, block) => sum + block.sizeBytes, 0)).toBe(bytes(body).length);
        if (whole.length === 0) return;
        const done = whole.slice(0, choice % whole.length);
        const offset = done.reduce((sum, block) => sum + block.sizeBytes, 0);
        const startLine = done.reduce((sum, block) => sum + block.lines, 1);
        const rest = await collect(splitLines(streamOf(cut(bytes(body).subarray(offset), otherSizes)), options, startLine));
        expect(rest.map((block) => ({ ...block, bytes: [...block.bytes] }))).toEqual(
          whole.slice(done.length).map((block) => ({ ...block, bytes: [...block.bytes] })),
        );
      }),
    );
  });

  it('leaves out a line that never ends, and goes on behind it', async () => {
    const chunks = [bytes('a\nb'), ...Array.from({ length: 50 }, () => bytes('xxxxxxxxxx')), bytes('\nc\nd'), bytes('\n')];
    const blocks = await collect(splitLines(streamOf(chunks), { blockBytes: 4, maxLineBytes: 30 }));
    const shown = blocks.map((block) => [block.firstLine, block.lines, block.isTooLong, Buffer.from(block.bytes).toString()]);
    expect(shown).toEqual([
      [1, 1, false, 'a\n'],
      [2, 1, true, ''],
      [3, 2, false, 'c\nd\n'],
    ]);
  });

  it('ends with nothing where there is nothing', async () => {
    expect(await collect(splitLines(streamOf([new Uint8Array()])))).toEqual([]);
  });
});

describe('decodeLines', () => {
  it('holds what the whole text would, however the stream is cut', async () => {
    const line = fc.constantFrom('a 1 1', 'b{x="y"} 2 2', 'bad', '', '# TYPE a counter', '# HELP a help', 'c{ 1', 'd\u00e9 1');
    const text = fc.array(line, { maxLength: 20 }).map((lines) => lines.join('\n'));
    await fc.assert(
      fc.asyncProperty(text, anyCut, async (body, sizes) => {
        const rejected: RejectedLine[] = [];
        const whole = decodePrometheusText(bytes(body), testContext(), {
          onBadLine: 'reject',
          onRejectedLine: (each) => rejected.push(each),
        });
        const blocks = await decodeAll(body, sizes);
        expect(blocks.flatMap(({ decoded }) => rowsOf(decoded))).toEqual(rowsOf(whole));
        const progress = blocks.at(-1)?.progress;
        expect(progress?.reported ?? []).toEqual(rejected);
        expect(progress?.rejectedLines ?? 0).toBe(rejected.length);
        expect(progress?.rejections ?? []).toEqual(whole.rejections);
        expect(progress?.samples ?? 0).toBe(whole.batch.ts.length);
        expect(progress?.bytes ?? 0).toBe(bytes(body).length);
        const metadata = new Map(blocks.flatMap(({ decoded }) => decoded.metadata.map((entry) => [entry.metric, entry] as const)));
        expect([...metadata.values()]).toEqual(whole.metadata);
      }),
    );
  });

  it('goes on from the progress of a block as if it had not stopped', async () => {
    const line = fc.constantFrom('a 1 1', 'b{x="y"} 2 2', 'bad', '', 'c{ 1');
    const text = fc.array(line, { minLength: 1, maxLength: 20 }).map((lines) => lines.join('\n'));
    await fc.assert(
      fc.asyncProperty(text, anyCut, fc.nat(), async (body, sizes, choice) => {
        const whole = await decodeAll(body, sizes);
        if (whole.length === 0) return;
        const from = (whole[choice % whole.length] as ImportBlock).progress;
        const rest = await collect(
          decodeLines(streamOf([bytes(body).subarray(from.bytes)]), testContext(), { format: 'prometheus', blockBytes: 8, from }),
        );
        expect(rest.at(-1)?.progress ?? from).toEqual(whole.at(-1)?.progress);
      }),
    );
  });

  it('reports the first rejected lines and counts all', async () => {
    const text = Array.from({ length: 50 }, (_, i) => (i % 2 ? 'bad' : `a 1 ${i}`)).join('\n');
    const { progress } = (await decodeAll(text, [7, 30], { maxReported: 2 })).at(-1) as ImportBlock;
    expect(progress).toMatchObject({ lines: 50, samples: 25, rejectedLines: 25 });
    expect(progress.reported.map((each) => each.line)).toEqual([2, 4]);
    expect(progress.rejections).toEqual([{ reason: 'malformed-line', message: expect.stringMatching(/^line 2, column 4: /), count: 25 }]);
  });

  it('counts a line once, whatever it loses', async () => {
    const tags = Array.from({ length: 70 }, (_, i) => `t${i}=v`).join();
    const blocks = await decodeAll(`m,${tags} a=1,b=2,c=3 0\nm a="x",b=1 5`, [], { format: 'influx', precision: 's' });
    expect(blocks.at(-1)?.progress).toMatchObject({ rejectedLines: 1, samples: 1 });
    expect(blocks.flatMap(({ decoded }) => rowsOf(decoded))).toEqual(['m_b{} 1 @5000']);
  });

  it('rejects a line that is too long by its number', async () => {
    const blocks = await decodeAll(`a 1 1\n{${'x'.repeat(100)}\nb 1 1\n`, [10, 20, 20, 20, 20], { maxLineBytes: 30 });
    expect(blocks.flatMap(({ decoded }) => rowsOf(decoded))).toEqual(['a{} 1 @1', 'b{} 1 @1']);
    expect(blocks.at(-1)?.progress).toMatchObject({ lines: 3, reported: [{ line: 2, column: 1, message: 'the line is too long' }] });
  });

  it('reads JSON lines', async () => {
    const text =
      '{"metric":{"__name__":"x"},"values":[1],"timestamps":[1]}\n{"metric":{"__name__":"y"},"values":[null],"timestamps":[2]}\n';
    const blocks = await decodeAll(text, [3, 70], { format: 'json-lines' });
    expect(blocks.flatMap(({ decoded }) => rowsOf(decoded))).toEqual(['x{} 1 @1', 'y{} stale @2']);
  });
});
