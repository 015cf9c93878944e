import { gzipSync, zstdCompressSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { OpsError } from '#core/errors.ts';
import { importItemKey } from '#ingest/imports/import-record.ts';
import { readImport } from '#ingest/imports/read-import.ts';
import { ensureWindow } from '#storage/catalog.ts';
import { compact } from '#storage/compact.ts';
import { downsample } from '#storage/downsample.ts';
import { expire } from '#storage/expire.ts';
import { countOf, importWorld, START, TENANT, textOf } from './import-world.ts';

const encodings = [
  ['plain', (text: string) => Buffer.from(text)],
  ['gzip', (text: string) => gzipSync(text)],
  ['zstd', (text: string) => zstdCompressSync(text)],
] as const;

describe('runImport', () => {
  it('takes what can be read, reports the rest, deletes the file and tells of it', async () => {
    const world = importWorld();
    const id = await world.upload('up 1 1795435200000\nup{ 2\ndown 3 1795435200000\nup 4 x\n');
    expect(await world.run(id)).toEqual({ id, outcome: 'done', accepted: 2, rejected: 2 });
    const record = await readImport(world, { tenant: TENANT, id });
    expect(record).toMatchObject({ state: 'done', startedAtMs: START, finishedAtMs: START, owner: undefined, error: undefined });
    expect(record.tally).toMatchObject({ objectBytes: 53, totalBytes: 53, lines: 4, accepted: 2, rejectedLines: 2 });
    expect(record.tally.reported).toEqual([
      { line: 2, column: 5, message: 'expected a label name, found "2"' },
      { line: 4, column: 6, message: 'expected a timestamp in whole milliseconds, found "x"' },
    ]);
    expect(record.tally.rejections).toEqual([{ reason: 'malformed-line', message: expect.stringMatching(/^line 2, /), count: 2 }]);
    expect(await world.samples('up')).toEqual(['{}@1795435200000=1']);
    expect(world.hasObject(id)).toBe(false);
    expect(world.events()).toMatchObject([
      {
        source: 'quarterdeck.ingest',
        detailType: 'Import Finished',
        detail: { tenant: TENANT, uploadId: id, state: 'done', accepted: 2, rejected: 2 },
      },
    ]);
  });

  it.each(encodings)('reads %s files of every format', async (_, pack) => {
    const world = importWorld();
    const seconds = START / 1_000;
    const jsonLine = `{"metric":{"__name__":"up","i":"0"},"values":[1,2],"timestamps":[${START - 1},${START}]}\n`;
    const files = [
      [jsonLine, { format: 'json-lines' }, [`{"i":"0"}@${START - 1}=1`, `{"i":"0"}@${START}=2`]],
      [`up,i=0 value=5 ${seconds}\n`, { format: 'influx', precision: 's' }, [`{"i":"0"}@${START}=5`]],
      [`up{i="0"} 7 ${START}`, {}, [`{"i":"0"}@${START}=7`]],
    ] as const;
    for (const [text, input, expected] of files) {
      const other = importWorld();
      const id = await other.upload(pack(text), input);
      expect(await other.run(id)).toMatchObject({ outcome: 'done', accepted: expected.length, rejected: 0 });
      expect(await other.samples('up')).toEqual(expected);
    }
    const empty = await world.upload(pack(''));
    expect(await world.run(empty)).toMatchObject({ outcome: 'done', accepted: 0, rejected: 0 });
  });

  it('does nothing more when the event comes again, and nothing before the file is there', async () => {
    const world = importWorld();
    const id = await world.upload('up 1\n');
    await world.run(id);
    const before = world.table.items();
    await world.blobs.put(`imports/${TENANT}/${id}`, Buffer.from('up 2\n'));
    expect(await world.run(id)).toEqual({ id, outcome: 'done' });
    expect(world.hasObject(id)).toBe(false);
    expect(world.table.items()).toEqual(before);
    expect(await world.run('nobody')).toEqual({ id: 'nobody', outcome: 'unknown' });
    await world.table.put({
      ...importItemKey({ tenant: TENANT, id: 'early' }),
      state: 'waiting',
      format: 'prometheus',
      createdAtMs: START,
    });
    expect(await world.run('early')).toEqual({ id: 'early', outcome: 'waiting' });
    await world.table.put({ ...importItemKey({ tenant: TENANT, id: 'gone' }), state: 'running', format: 'prometheus', createdAtMs: START });
    expect(await world.run('gone')).toMatchObject({ outcome: 'failed', error: 'the uploaded file is gone' });
  });

  it('stamps samples without a time with its own start, so that two imports of one file are two', async () => {
    const world = importWorld();
    const first = await world.upload('up 1\n');
    const second = await world.upload('up 1\n');
    await world.run(first);
    world.advance(5_000);
    await world.run(second);
    expect(await world.samples('up')).toEqual([`{}@${START}=1`, `{}@${START + 5_000}=1`]);
  });

  it.each(encodings)('stops in time and goes on where it stopped: %s', async (_, pack) => {
    const { text, good, bad } = textOf(300_000);
    const world = importWorld();
    const id = await world.upload(pack(text));
    const outcomes: string[] = [];
    for (let last = ''; last !== 'done'; outcomes.push(last)) {
      last = (await world.run(id, { remainingMs: () => 59_000 })).outcome;
      if (last === 'continued')
        expect(await readImport(world, { tenant: TENANT, id })).toMatchObject({ state: 'running', owner: undefined });
    }
    // The last block is taken, and only then is it known to have been the last.
    expect(outcomes).toEqual([...Array(Math.ceil(text.length / 2_097_152)).fill('continued'), 'done']);
    expect(world.events().filter(({ detailType }) => detailType === 'Import Continued')).toHaveLength(outcomes.length - 1);
    const { tally } = await readImport(world, { tenant: TENANT, id });
    expect(tally).toMatchObject({ lines: 300_000, accepted: good, rejectedLines: bad, textBytes: text.length });
    expect(tally.objectBytes).toBe(tally.totalBytes);
    expect(tally.reported).toHaveLength(100);
    expect(tally.reported.at(99)?.line).toBe(5_000);
    expect(countOf(tally.rejections)).toBe(bad);
    expect(await world.samples('up')).toHaveLength(good);
  });

  it.each([
    ['gzip that is cut off', gzipSync('up 1\n'.repeat(100)).subarray(0, -4), {}, /^the file is not valid gzip: unexpected end of file/],
    ['a file that is not what was said', 'up 1\n', { encoding: 'zstd' }, /^the file was said to be zstd/],
  ] as const)('fails on %s, and says so', async (_, body, input, error) => {
    const world = importWorld();
    const id = await world.upload(body, input);
    expect(await world.run(id)).toMatchObject({ outcome: 'failed', error: expect.stringMatching(error) });
    expect(await readImport(world, { tenant: TENANT, id })).toMatchObject({ state: 'failed', error: expect.stringMatching(error) });
    expect(world.hasObject(id)).toBe(false);
    expect(world.events()).toMatchObject([{ detailType: 'Import Finished', detail: { state: 'failed' } }]);
  });

  it('puts off what an outage keeps it from, and gives up in the end', async () => {
    const world = importWorld();
    const id = await world.upload('up 1\n');
    const failing = world.process();
    const error = new OpsError('unavailable', 'no storage today');
    const deps = { ...failing, ingest: { ...failing.ingest, store: { append: () => Promise.reject(error) } } };
    for (let i = 1; i < 10; i++) {
      expect(await world.run(id, {}, deps)).toMatchObject({ outcome: 'postponed', error: 'no storage today' });
      expect(await readImport(world, { tenant: TENANT, id })).toMatchObject({ state: 'running', failures: i, error: 'no storage today' });
    }
    expect(world.events()).toHaveLength(9);
    const other = importWorld();
    const passing = await other.upload('up 1\n');
    await other.run(passing, {}, { ...other.process(), ingest: deps.ingest });
    expect(await other.run(passing)).toMatchObject({ outcome: 'done' });
    expect((await readImport(other, { tenant: TENANT, id: passing })).error).toBeUndefined();
    expect(await world.run(id, {}, deps)).toMatchObject({ outcome: 'failed', error: 'given up after 10 tries: no storage today' });
  });

  it('hands a defect on, and fails when it is met a third time', async () => {
    const world = importWorld();
    const id = await world.upload('up 1\n');
    const sound = world.process();
    const deps = { ...sound, ingest: { ...sound.ingest, store: { append: () => Promise.reject(new TypeError('a defect')) } } };
    for (const state of ['running', 'running', 'failed']) {
      await expect(world.run(id, {}, deps)).rejects.toThrow('a defect');
      expect(await readImport(world, { tenant: TENANT, id })).toMatchObject({ state, error: 'something went wrong here' });
    }
  });

  it('leaves an import to a run that lives, and takes it over from one that is dead', async () => {
    const world = importWorld();
    const id = await world.upload(textOf(200_000).text);
    const key = importItemKey({ tenant: TENANT, id });
    await world.table.update(key, { set: { state: 'running', owner: 'another', leaseUntilMs: START + 20_000, startedAtMs: START } });
    const alive = {
      ...world.process(),
      sleep: async () => void (await world.table.update(key, { set: { leaseUntilMs: START + 25_000 } })),
    };
    expect(await world.run(id, {}, alive)).toEqual({ id, outcome: 'running' });
    expect(await world.run(id)).toMatchObject({ outcome: 'done' });
    expect(world.now()).toBeGreaterThan(START + 25_000);
  });

  it('counts once when another run takes over in the middle', async () => {
    const { text, good } = textOf(250_000);
    const world = importWorld();
    const id = await world.upload(text);
    const deps = world.process();
    let blocks = 0;
    const slow = {
      ...deps,
      ingest: {
        ...deps.ingest,
        store: {
          append: async (input: Parameters<typeof deps.ingest.store.append>[0]) => {
            await deps.ingest.store.append(input);
            if (++blocks !== 2) return;
            world.advance(31_000); // longer than the lease
            expect(await world.run(id)).toMatchObject({ outcome: 'done', accepted: good });
          },
        },
      },
    };
    expect(await world.run(id, {}, slow)).toEqual({ id, outcome: 'running' });
    expect((await readImport(world, { tenant: TENANT, id })).tally.accepted).toBe(good);
    expect(await world.samples('up')).toHaveLength(good);
    expect(world.events()).toHaveLength(1);
  });

  it('refuses samples for days of which only aggregates are left, and takes those of days that never were there', async () => {
    const world = importWorld();
    const old = START - 40 * 86_400_000;
    const first = await world.upload(`up 1 ${old}\n`);
    await world.run(first);
    await compact(world.storage);
    await downsample(world.storage);
    const more = await world.upload(`up{late="1"} 1 ${old}\n`);
    expect(await world.run(more)).toMatchObject({ accepted: 1, rejected: 0 });
    await compact(world.storage);
    await downsample(world.storage);
    world.advance(2 * 86_400_000);
    const { expired } = await expire(world.storage);
    expect(expired.filter((each) => each.expire).map(({ tier, date }) => `${tier} ${date}`)).toEqual(['hot 2026-10-14']);
    const late = `up 2 ${old}\nup 3 ${old - 86_400_000}\n`;
    const id = await world.upload(late);
    expect(await world.run(id)).toMatchObject({ outcome: 'done', accepted: 1, rejected: 1 });
    const message = 'raw samples of 2026-10-14 are past their retention and were aggregated; no more can be added';
    expect((await readImport(world, { tenant: TENANT, id })).tally.rejections).toEqual([
      { reason: 'already-aggregated', message, count: 1 },
    ]);
    // What an interrupted expiry leaves of the list makes no difference.
    await ensureWindow(world.table, { tenant: TENANT, tier: 'hot', date: '2026-10-14' }, 2);
    expect(await world.run(await world.upload(`up 5 ${old}\n`))).toMatchObject({ accepted: 0, rejected: 1 });
  });
});
