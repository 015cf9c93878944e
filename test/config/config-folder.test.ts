import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readConfigFolder } from '#config/config-folder.ts';

describe('a configuration folder as a whole', () => {
  let dir: string;

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'quarterdeck-config-'));
    await mkdir(join(dir, 'rules', '.git'), { recursive: true });
    await writeFile(join(dir, 'tenants.yaml'), 'tenants: {}\n');
    await writeFile(join(dir, 'rules', 'a.yaml'), '');
    await writeFile(join(dir, '.env'), 'secret');
    await writeFile(join(dir, 'rules', '.git', 'config'), 'hidden');
    await symlink('/etc/passwd', join(dir, 'passwd'));
  });

  afterAll(() => rm(dir, { recursive: true }));

  it('is its files and those of its folders, without what is hidden or elsewhere', async () => {
    expect(await readConfigFolder(dir)).toEqual([
      { path: 'rules/a.yaml', text: '' },
      { path: 'tenants.yaml', text: 'tenants: {}\n' },
    ]);
  });

  it.each([
    ['a folder that is not there', 'none', 'cannot be read as a folder (ENOENT)'],
    ['a file', 'tenants.yaml', 'cannot be read as a folder (ENOTDIR)'],
  ])('cannot be %s', async (_, name, message) => {
    await expect(readConfigFolder(join(dir, name))).rejects.toMatchObject({ kind: 'input', message: expect.stringContaining(message) });
  });

  it('is refused with a file that is no text, by its name', async () => {
    await writeFile(join(dir, 'rules', 'b.yaml'), Uint8Array.of(0xff));
    await expect(readConfigFolder(dir)).rejects.toMatchObject({ kind: 'input', message: 'rules/b.yaml: is not UTF-8 text' });
    await rm(join(dir, 'rules', 'b.yaml'));
  });
});
