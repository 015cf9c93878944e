import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareRestored } from '#backups/drills/compare-restored.ts';
import type { DrillCheck } from '#backups/drills/drill-checks.ts';
import { signReport, verifyReport } from '#backups/drills/drill-report.ts';
import { createLineDigest } from '#backups/drills/line-digest.ts';
import { type DrillDeps, type DrillInput, runDrill } from '#backups/drills/run-drill.ts';
import { OpsError } from '#core/errors.ts';
import type { Scratch } from '#ports/backup-places.ts';
import { createMemorySource, type MemoryThing } from '#ports/memory/memory-backup-source.ts';
import { createMemoryTarget } from '#ports/memory/memory-backup-target.ts';
import { type Bench, backUp, createBench, file, type Things } from '#test/backups/kit.ts';

const text = (size: number, seed = 1) => Buffer.from(Array.from({ length: size }, (_, i) => (i * i * seed + (i >> 3)) & 0xff));

const things = (): Things =>
  new Map<string, MemoryThing>([
    ['a', {}],
    ['a/large', file(text(20_000))],
    ['a/small', file('hello world')],
    ['items/0', { kind: 'items', content: Buffer.from('{"id":1}\n{"id":2}\n') }],
    ['items/1', { kind: 'items', content: Buffer.from('{"id":3}\n') }],
    ['link', { kind: 'symlink', meta: { target: 'a/small' } }],
  ]);

/** A scratch place in memory; `spoil` changes what was restored before it is read back. */
function createScratch(spoil: (restored: Map<string, MemoryThing>) => void = () => {}, query?: Scratch['query']) {
  const target = createMemoryTarget();
  let isRemoved = false;
  const scratch: Scratch = {
    ...{ name: 'memory:scratch', target, query },
    openSource: async () => {
      const restored = new Map<string, MemoryThing>(target.restored);
      spoil(restored);
      return createMemorySource(restored);
    },
    remove: async () => {
      isRemoved = true;
    },
  };
  return { scratch, isRemoved: () => isRemoved };
}

async function drill(bench: Bench, scratch: Scratch, input: Partial<DrillInput> = {}, deps: Partial<DrillDeps> = {}) {
  const snapshot = await backUp(bench, things());
  bench.tick(60_000);
  const ask = async () => ({ ok: true, sentence: 'fine' });
  return runDrill(
    { clock: bench.clock, ask, ...deps },
    {
      ...{ id: 'd1', drill: 'weekly', repository: bench.repository, snapshot, scratch, checks: [], objectives: {}, timeoutMs: 3_600_000 },
      ...input,
    },
  );
}

async function reportOf(spoil: (restored: Map<string, MemoryThing>) => void, input: Partial<DrillInput> = {}, query?: Scratch['query']) {
  const { scratch, isRemoved } = createScratch(spoil, query);
  const result = await drill(await createBench(), scratch, input);
  if (result.state !== 'done') throw new Error('the drill did not end');
  expect(isRemoved()).toBe(true);
  return result.report;
}

describe('a drill', () => {
  it('of a sound snapshot succeeds, with what it measured, and leaves nothing behind', async () => {
    const report = await reportOf(() => {});
    expect(report).toMatchObject({ status: 'SUCCESSFUL', recoveryPointMs: expect.any(Number), cleanedUp: true });
    expect(report.compared).toEqual({ items: 4, bytes: 20_011, lines: 3, differences: [], differenceCount: 0 });
  });

  it.each<[string, (restored: Map<string, MemoryThing>) => void, string, string]>([
    ['a flipped bit', (map) => map.set('a/large', file(flip(text(20_000), 15_000))), 'a/large', 'differs between bytes'],
    ['a file cut short', (map) => map.set('a/large', file(text(20_000).subarray(0, 19_999))), 'a/large', 'has 19999 bytes'],
    ['a file that grew', (map) => map.set('a/small', file('hello world!')), 'a/small', 'has more than the 11 bytes'],
    ['a missing file', (map) => map.delete('a/small'), 'a/small', 'is missing'],
    ['a file too many', (map) => map.set('b', file('x')), 'b', 'not in the snapshot'],
    ['another kind', (map) => map.set('a/small', { kind: 'fifo' }), 'a/small', 'is a fifo'],
    ['a link elsewhere', (map) => map.set('link', { kind: 'symlink', meta: { target: '/etc' } }), 'link', 'points elsewhere'],
    ['an item lost', (map) => map.delete('items/1'), 'items', 'has 2 items, and had 3'],
    ['an item changed', (map) => map.set('items/1', { kind: 'items', content: Buffer.from('{"id":4}\n') }), 'items', 'not the same ones'],
    [
      'what cannot be read back',
      (map) => map.set('a/small', { ...file('hello'), failure: new OpsError('denied', 'no') }),
      'a/small',
      'cannot be compared: no',
    ],
  ])('fails for %s', async (_, spoil, path, message) => {
    const report = await reportOf(spoil);
    expect(report).toMatchObject({ status: 'FAILED', compared: { differenceCount: 1 } });
    expect(report.compared.differences).toEqual([{ path, message: expect.stringContaining(message) }]);
  });

  it('does not mind how items of a table are cut into parts', async () => {
    const report = await reportOf((map) => {
      map.delete('items/1');
      map.set('items/0', { kind: 'items', content: Buffer.from('{"id":3}\n{"id":1}\n{"id":2}') });
    });
    expect(report.status).toBe('SUCCESSFUL');
  });

  it.each<[string, DrillCheck, boolean]>([
    ['so many things', { atLeast: 2, kind: 'file' }, true],
    ['too few things', { atLeast: 3, kind: 'file' }, false],
    ['items of a table', { atLeast: 3, kind: 'items' }, true],
    ['text in a file', { path: 'a/small', contains: 'world' }, true],
    ['other text', { path: 'a/small', contains: 'moon' }, false],
    ['another hash', { path: 'a/small', sha256: '0'.repeat(64) }, false],
    ['a file that is not there', { path: 'nowhere' }, false],
    ['a query of what cannot be queried', { query: 'up', tenant: 'default' }, false],
    ['a webhook', { webhook: 'https://check.example/x', timeoutMs: 1_000 }, true],
  ])('asks for %s', async (_, check, ok) => {
    const report = await reportOf(() => {}, { checks: [check] });
    expect([report.status, report.checks[0]?.ok]).toEqual([ok ? 'SUCCESSFUL' : 'FAILED', ok]);
  });

  it('says which kinds there are where there is none of the one that was asked for', async () => {
    const report = await reportOf(() => {}, { checks: [{ atLeast: 1, kind: 'files' }] });
    expect(report.checks[0]?.sentence).toMatch(/^there are 0, of other kinds .*\d+ file/);
  });

  it('asks a restored Quarterdeck, which has to give something, and the value where one is expected', async () => {
    const asked: number[] = [];
    const query: Scratch['query'] = async (_, expr, atMs) => {
      asked.push(atMs);
      return expr === 'up' ? [1, 1] : [];
    };
    const checks: DrillCheck[] = [
      { query: 'up', tenant: 'default' },
      { query: 'up', equals: 1, tenant: 'default' },
      { query: 'up', equals: 0, tenant: 'default' },
      { query: 'down', tenant: 'default' },
    ];
    const report = await reportOf(() => {}, { checks }, query);
    expect(report.checks.map(({ ok }) => ok)).toEqual([true, true, false, false]);
    // As of the snapshot, not of the drill.
    expect(new Set(asked)).toEqual(new Set([Date.parse(report.startedAt) - report.recoveryPointMs]));
  });

  it('fails where its objectives are missed, and says by how much', async () => {
    const report = await reportOf(() => {}, { objectives: { recoveryPointMs: 1_000 } });
    expect(report).toMatchObject({ status: 'FAILED', sentence: expect.stringContaining('1s is the objective') });
  });

  it('goes on where an earlier process ran out of time, and times out in the end', async () => {
    const bench = await createBench();
    const { scratch } = createScratch();
    const first = await drill(bench, scratch, {}, { remainingMs: () => 0 });
    if (first.state !== 'continued') throw new Error('it did not stop');
    bench.tick(10 * 60_000);
    const late = await drill(bench, scratch, { progress: first.progress, timeoutMs: 60_000 }, { remainingMs: () => 0 });
    expect(late).toMatchObject({ state: 'done', report: { status: 'TIMED_OUT', cleanedUp: true } });
    const second = await drill(bench, scratch, { progress: first.progress });
    expect(second).toMatchObject({ state: 'done', report: { status: 'SUCCESSFUL' } });
  });
});

function flip(bytes: Buffer, at: number): Buffer {
  bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at);
  return bytes;
}

describe('a report', () => {
  it('is verified by its public key, and not once a letter of it has changed', async () => {
    const bench = await createBench();
    const { scratch } = createScratch();
    const result = await drill(bench, scratch);
    if (result.state !== 'done') throw new Error('the drill did not end');
    const signed = signReport(bench.repository.secrets, result.report);
    expect(verifyReport(signed)).toEqual(result.report);
    expect(() => verifyReport({ ...signed, text: signed.text.replace('SUCCESSFUL', 'FAILED') })).toThrow(/signature/);
    const other = signReport((await createBench(2)).repository.secrets, result.report);
    expect(other.publicKey).not.toBe(signed.publicKey);
    expect(() => verifyReport({ ...signed, publicKey: other.publicKey })).toThrow(/signature/);
  });
});

describe('comparing', () => {
  it('finds nothing different in what a snapshot was made of, whatever that is', async () => {
    const content = fc.uint8Array({ maxLength: 3_000 }).map((bytes) => file(bytes));
    await fc.assert(
      fc.asyncProperty(fc.dictionary(fc.stringMatching(/^[a-z]{1,3}(\/[a-z]{1,2})?$/), content, { maxKeys: 8 }), async (named) => {
        const bench = await createBench();
        const all: Things = new Map(Object.entries(named));
        const snapshot = await backUp(bench, all);
        const restored = createMemorySource(all, { pieceBytes: 7 });
        expect((await compareRestored({ repository: bench.repository, snapshot, restored })).differenceCount).toBe(0);
      }),
      { numRuns: 50 },
    );
  });

  it('of a table applies the changes that the snapshot has for its items', async () => {
    // Attribute names that look like what lines of changes are made of.
    const key = fc.constantFrom('a', '"item":{', '},"item":{', 'k\\\\"');
    const value = fc.option(fc.constantFrom('1', '},"key":{', '\\u0000'));
    const change = fc.record({ key, value });
    const keyLine = (name: string) => `{"id":{"S":${JSON.stringify(name)}},"item":{"S":"x"}}`;
    const itemLine = (name: string, text: string) => `${keyLine(name).slice(0, -1)},"10":{"S":${JSON.stringify(text)}},"2":{"N":"1"}}`;
    const changeLine = ({ key: name, value: text }: { key: string; value: string | null }, i: number) =>
      `{"sequence":"${i}","atS":5,"key":${keyLine(name)}${text === null ? '' : `,"item":${itemLine(name, text)}`}}\n`;
    await fc.assert(
      fc.asyncProperty(
        fc.dictionary(key, fc.string(), { maxKeys: 4 }),
        fc.array(fc.uniqueArray(change, { selector: ({ key: name }) => name, maxLength: 4 }), { maxLength: 3 }),
        fc.boolean(),
        async (before, parts, isSpoilt) => {
          const bench = await createBench();
          const state = new Map(Object.entries(before));
          const items = (map: ReadonlyMap<string, string>) =>
            Buffer.from([...map].map(([name, text]) => `${itemLine(name, text)}\n`).join(''));
          const things: Things = new Map([['items/0', { kind: 'items', content: items(state) } as MemoryThing]]);
          for (const [i, part] of parts.entries()) {
            things.set(`replay/${i}`, {
              kind: 'changes',
              meta: { count: part.length },
              content: Buffer.from(part.map(changeLine).join('')),
            });
            for (const { key: name, value: text } of part) {
              if (text === null) state.delete(name);
              else state.set(name, text);
            }
          }
          const snapshot = await backUp(bench, things);
          if (isSpoilt) state.set('a', 'something else');
          const restored = createMemorySource(new Map([['items/0', { kind: 'items', content: items(state) } as MemoryThing]]));
          const { differenceCount } = await compareRestored({ repository: bench.repository, snapshot, restored, keysAtOnce: 2 });
          expect(differenceCount).toBe(isSpoilt ? 1 : 0);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('of lines does not depend on their order, nor on where pieces end', () => {
    const line = fc.stringMatching(/^[a-z]{1,8}$/);
    fc.assert(
      fc.property(fc.array(line, { maxLength: 20 }), fc.nat({ max: 5 }), (lines, cut) => {
        const one = createLineDigest();
        one.add(Buffer.from(lines.map((each) => `${each}\n`).join('')));
        one.endPart();
        const other = createLineDigest();
        const bytes = Buffer.from([...lines].reverse().join('\n'));
        for (let at = 0; at < bytes.length; at += cut + 1) other.add(bytes.subarray(at, at + cut + 1));
        other.endPart();
        expect(one.compare(other)).toBeUndefined();
        other.add(Buffer.from('more\n'));
        expect(one.compare(other)).toMatch(/items/);
      }),
    );
  });
});
