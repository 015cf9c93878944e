import { describe, expect, it } from 'vitest';
import { assertSaved } from '#backups/restore/assert-saved.ts';
import { backUp, createBench, file } from './kit.ts';

const fault = (path: string) => ({ path, message: 'something was wrong' });

describe('before a restore in place', () => {
  it.each([
    ['nothing was wrong', [], 0, {}, undefined],
    ['a file changed while it was read, and is there', ['d/a'], 1, {}, undefined],
    ['what is not there is left out of the restore', ['d/b'], 1, { exclude: ['d/b'] }, undefined],
    ['a file is not there', ['d/a', 'd/b'], 2, {}, '1 things could not be saved first, such as d/b: something was wrong'],
    ['a directory could not be listed', ['d'], 1, {}, '1 things could not be saved first, such as d: something was wrong'],
    ['there were more faults than are known', ['d/a'], 3, {}, '2 things could not be saved first'],
  ])('where %s', async (_, paths, faultCount, filter, problem) => {
    const bench = await createBench();
    const snapshot = await backUp(bench, new Map([['d', {}] as const, ['d/a', file('a')] as const]));
    const asserted = assertSaved(bench.repository, { ...snapshot, faults: paths.map(fault), faultCount }, filter);
    if (problem === undefined) await asserted;
    else await expect(asserted).rejects.toMatchObject({ kind: 'conflict', message: `nothing is restored in place: ${problem}` });
  });
});
