import { lstat, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openFolderSource } from '#local/backup/folder-source.ts';
import { comparePaths, decodeName, encodeName } from '#local/backup/path-names.ts';
import { sortSteps } from '#local/backup/walk-folder.ts';
import { paths, withFolder, withSource } from './trees.ts';

const clock = Date.now;

/** Some names that sort in surprising ways, and some that are no UTF-8. */
const nameBytes = fc.oneof(
  fc.constantFrom('a', 'a-', 'a.', 'a0', 'a!', 'ab', 'A', '\u00e9', '\uffee', '\u{1f600}', 'a\u{1f600}').map((text) => Buffer.from(text)),
  fc.constantFrom([0xff], [0x61, 0x80], [0xc3], [0xed, 0xb2, 0x80], [0xf0, 0x9f, 0x98]).map((bytes) => Buffer.from(bytes)),
);
const treePaths = fc.uniqueArray(fc.array(nameBytes, { minLength: 1, maxLength: 4 }), {
  maxLength: 14,
  selector: (names) => names.map((name) => name.toString('hex')).join('/'),
});
/** What the order is defined by. */
const compareBytes = (a: string, b: string) => Buffer.compare(encodeName(a) as Buffer, encodeName(b) as Buffer);
const bytesOfPath = (root: string, names: readonly Buffer[]) =>
  Buffer.concat([Buffer.from(root), ...names.flatMap((name) => [Buffer.from('/'), name])]);

/** Makes folders and files at these paths; what an earlier file is in the way of is left out. */
async function makeTree(root: string, tree: readonly (readonly Buffer[])[]): Promise<string[]> {
  const made = new Set<string>();
  for (const names of tree) {
    try {
      for (let i = 1; i < names.length; i++) {
        await mkdir(bytesOfPath(root, names.slice(0, i))).catch((error) => {
          if (error.code !== 'EEXIST') throw error;
        });
        made.add(names.slice(0, i).map(decodeName).join('/'));
      }
      await writeFile(bytesOfPath(root, names), 'x', { flag: 'wx' });
      made.add(names.map(decodeName).join('/'));
    } catch (error) {
      if (!['EEXIST', 'ENOTDIR', 'EISDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
      const missing = names.slice(0, -1).map((_, i) => names.slice(0, i + 1));
      for (const parent of missing)
        if (!(await lstat(bytesOfPath(root, parent)).catch(() => undefined))) made.delete(parent.map(decodeName).join('/'));
    }
  }
  return [...made].sort(compareBytes);
}

describe('names of files as text', () => {
  it('come back as the bytes they were, whatever those are', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 12 }), (bytes) => {
        expect(encodeName(decodeName(Buffer.from(bytes)))).toEqual(Buffer.from(bytes));
      }),
    );
  });

  it.each([
    ['bytes that are no UTF-8', Buffer.from([0x61, 0xff, 0x62]), 'a\udcffb'],
    ['a character that breaks off', Buffer.from([0xe4, 0xb8]), '\udce4\udcb8'],
    ['an encoded surrogate', Buffer.from([0xed, 0xb2, 0x80]), '\udced\udcb2\udc80'],
    ['a character behind a broken one', Buffer.from([0xc3, 0xc3, 0xa9]), '\udcc3\u00e9'],
  ])('escapes %s as Python does', (_case, bytes, text) => {
    expect(decodeName(bytes)).toBe(text);
  });

  it.each([
    ['a high surrogate alone', '\ud83d'],
    ['a low surrogate that stands for no byte', '\udc7f'],
    ['escapes that are a character together', '\udcc3\udca9'],
  ])('has no bytes for %s', (_case, text) => {
    expect(encodeName(text)).toBeUndefined();
  });
});

describe('the order of a folder source', () => {
  it('is that of whole paths sorted by their bytes', async () => {
    await fc.assert(
      fc.asyncProperty(treePaths, async (tree) => {
        await withFolder(async (folder) => {
          const expected = await makeTree(folder, tree);
          const source = await openFolderSource(folder, { clock });
          expect(await paths(source)).toEqual(expected);
          await source.close();
        });
      }),
      { numRuns: 60 },
    );
  });

  it('goes on behind any cursor, of what is there or not', async () => {
    await fc.assert(
      fc.asyncProperty(treePaths, fc.array(nameBytes, { minLength: 1, maxLength: 3 }), async (tree, other) => {
        await withFolder(async (folder) => {
          const all = await makeTree(folder, tree);
          const source = await openFolderSource(folder, { clock });
          for (const after of [...all, other.map(decodeName).join('/')]) {
            expect(await paths(source, after)).toEqual(all.filter((path) => compareBytes(path, after) > 0));
          }
          await source.close();
        });
      }),
      { numRuns: 30 },
    );
  });

  it('puts a folder by its name and what is in it by its name with a slash', async () => {
    const fill = async (folder: string) => {
      await mkdir(join(folder, 'a'));
      for (const name of ['a/b', 'a-b', 'a.b', 'a0', 'a b']) await writeFile(join(folder, name), '');
    };
    await withSource(fill, async (source) => expect(await paths(source)).toEqual(['a', 'a b', 'a-b', 'a.b', 'a/b', 'a0']));
  });

  it('is the same for names one by one, whatever their bytes', () => {
    const bytes = fc.array(fc.constantFrom(0x2e, 0x2f, 0x30, 0x7f, 0x80, 0xa9, 0xbf, 0xc3, 0xed, 0xee, 0xef, 0xf0, 0x9f, 0x98, 0xff), {
      maxLength: 6,
    });
    const names = bytes.map((all) => decodeName(Buffer.from(all)));
    fc.assert(
      fc.property(fc.array(names), fc.array(fc.string({ unit: 'grapheme' })), (broken, whole) => {
        const all = [...broken, ...whole];
        expect([...all].sort(comparePaths)).toEqual([...all].sort(compareBytes));
        expect(sortSteps([...all])).toEqual([...all].sort(compareBytes));
      }),
    );
  });
});
