import { describe, expect, it } from 'vitest';
import { compareRestored } from '#backups/drills/compare-restored.ts';
import { mergeSelfPasses } from '#backups/self/merge-passes.ts';
import { createMemorySource, type MemoryThing } from '#ports/memory/memory-backup-source.ts';
import { backUp, createBench, file } from '#test/backups/kit.ts';

async function* streamOf(paths: readonly string[]) {
  for (const path of paths) yield { path };
}

const merged = async (paths: readonly string[]) => {
  const all: string[] = [];
  for await (const { path } of mergeSelfPasses(() => streamOf(paths))) all.push(path);
  return all;
};

describe('the passes of a backup of a Quarterdeck', () => {
  it.each<[string, string[], string[]]>([
    ['nothing', [], []],
    ['one pass', ['001/catalog/0', '001/objects/a', '001/objects/b'], ['catalog/0', 'objects/a', 'objects/b']],
    [
      'several, of which the last catalog counts and each object once',
      ['001/catalog/0', '001/catalog/1', '001/objects/a', '001/objects/c', '002/catalog/0', '002/objects/b', '002/objects/c'],
      ['catalog/0', 'objects/a', 'objects/b', 'objects/c'],
    ],
  ])('come to what they restore: %s', async (_, paths, expected) => {
    expect(await merged(paths)).toEqual(expected);
  });

  const catalog = (...lines: string[]): MemoryThing => ({ ...file(lines.map((line) => `${line}\n`).join('')), kind: 'catalog' });
  const blob = (text: string): MemoryThing => ({ ...file(text), kind: 'blob' });
  const passes = new Map<string, MemoryThing>([
    ['001/catalog/000000', catalog('old', 'names-a')],
    ['001/objects/a', blob('A')],
    ['001/objects/b', blob('B')],
    ['002/catalog/000000', catalog('names-b', 'names-c')],
    ['002/objects/c', blob('C')],
  ]);
  const whole = (): [string, MemoryThing][] => [
    ['001/catalog/000000', catalog('names-b')],
    ['001/catalog/000001', catalog('names-c')],
    ['001/objects/b', blob('B')],
    ['001/objects/c', blob('C')],
  ];
  it.each<[string, [string, MemoryThing][], number]>([
    ['as they were, without what the last catalog does not name', whole(), 0],
    ['with an item lost', whole().filter(([path]) => path !== '001/catalog/000001'), 1],
    ['with another object', [...whole(), ['001/objects/d', blob('D')]], 1],
    ['with an object changed', whole().map(([path, thing]) => [path, path.endsWith('/c') ? blob('X') : thing]), 1],
  ])('are compared with what was restored %s', async (_, things, differences) => {
    const bench = await createBench();
    const source = { ...createMemorySource(passes), type: 'quarterdeck' };
    const snapshot = await backUp(bench, new Map(), { source });
    const restored = createMemorySource(new Map(things));
    expect((await compareRestored({ repository: bench.repository, snapshot, restored })).differenceCount).toBe(differences);
  });
});
