import { execFile } from 'node:child_process';
import { randomFillSync } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, open, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '#test/aws/free-port.ts';
import { startQuarterdeck } from './quarterdeck.ts';

const root = resolve(import.meta.dirname, '..', '..');
const guide = readFileSync(join(root, 'docs/backup/recovery.md'), 'utf8');

/** The blocks of a section that need no AWS, as one script. */
function scriptOf(title: string): string {
  const section = guide.split(/^## /m).find((each) => each.startsWith(`${title}\n`));
  if (section === undefined) throw new Error(`the runbook has no section ${title}`);
  return [...section.matchAll(/^```sh\n([^`]*)^```/gm)].map(([, block]) => block).join('\n');
}

const has = (path: string) => existsSync(join(root, path));
/** What these sections take. */
const isWhole = has('packages/local/cli/backups/repair.ts') && has('packages/local/cli/backups/copy.ts');
const isSelf = has('packages/local/backup/own-data.ts');

let folder: string;
let environment: Record<string, string>;
const at = (...parts: string[]) => join(folder, ...parts);

/** Runs it as an operator does: it stops at the first command that fails. */
function run(script: string): Promise<string> {
  return new Promise((ended, failed) => {
    execFile('sh', ['-euc', script], { env: environment, maxBuffer: 16 << 20 }, (error, stdout, stderr) =>
      error ? failed(new Error(`${error.message}\n${stdout}\n${stderr}`)) : ended(`${stdout}\n${stderr}`),
    );
  });
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'quarterdeck-recovery-'));
  const command = at('bin/quarterdeck');
  await mkdir(at('bin'));
  await writeFile(command, `#!/bin/sh\nexec '${process.execPath}' '${join(root, 'bin/quarterdeck.js')}' "$@"\n`);
  await chmod(command, 0o755);
  environment = {
    ...{ PATH: `${at('bin')}:${process.env.PATH}`, QUARTERDECK_BACKUP_PASSPHRASE: 'correct horse battery staple' },
    ...{ NEW_PASSPHRASE: 'another horse, another battery', TRY_PORT: String(await freePort()) },
    ...{ REPO: at('main'), COPY: at('copy'), SOURCE: at('data'), WORK: at('work'), LAST_SEEN: new Date().toISOString() },
  };
  await mkdir(at('data/notes'), { recursive: true });
  await mkdir(at('work'));
  await writeFile(at('data/notes/plan.txt'), 'the plan\n');
  await writeFile(at('data/large.raw'), randomFillSync(Buffer.alloc(3 << 20)));
  await run('quarterdeck backup "$SOURCE" --repo "$REPO"');
}, 60_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('the runbook', { timeout: 120_000 }, () => {
  it('brings back a lost file', async () => {
    await rm(at('data/notes/plan.txt'));
    expect(await run(scriptOf('A lost file'))).toContain('the plan');
    expect(await readFile(at('data/notes/plan.txt'), 'utf8')).toBe('the plan\n');
  });

  it('restores over a ruined folder, and saves the ruin', async () => {
    await writeFile(at('data/notes/plan.txt'), 'gone\n');
    expect(await run(scriptOf('A ruined folder, in place'))).toMatch(/before-restore/);
    expect(await readFile(at('data/notes/plan.txt'), 'utf8')).toBe('the plan\n');
  });

  it.skipIf(!isSelf)('makes a new Quarterdeck of the backup of a lost one', async () => {
    const server = await startQuarterdeck(at('quarterdeck'), { QUARTERDECK_SELF: 'off' });
    const sent = await fetch(`${server.url}/api/v1/import/prometheus`, { method: 'POST', body: 'orders_total 42\n' });
    expect(sent.status).toBe(204);
    environment.LAST_SEEN = new Date().toISOString();
    // While it runs.
    await run(`QUARTERDECK_DATA='${at('quarterdeck')}' quarterdeck backup quarterdeck: --repo "$REPO"`);
    await server.end('SIGKILL');
    await rm(at('quarterdeck'), { recursive: true });
    expect(await run(scriptOf('A lost machine'))).toMatch(/^value\n +1$/m);
  });

  it.skipIf(!isWhole)('finds a damaged pack, and brings back what was in it', async () => {
    await run('quarterdeck copy --from "$REPO" --to "$COPY"');
    await damageLargest(at('main/objects/packs'));
    const told = await run(scriptOf('A damaged repository'));
    expect(told).toContain('it is damaged');
    expect(told).toContain('large.raw');
    expect(told).toContain('what is lost is listed above');
  });

  it.skipIf(!isWhole)('changes a passphrase that is still known', async () => {
    expect(await run(scriptOf('A lost passphrase'))).toMatch(/SUCCESSFUL/);
  });

  it('has no block that is not run', () => {
    const blocks = guide.match(/^```sh$/gm)?.length;
    const titles = ['A lost file', 'A ruined folder, in place', 'A lost machine', 'A damaged repository', 'A lost passphrase'];
    const run = titles.map(
      (title) =>
        guide
          .split(/^## /m)
          .find((each) => each.startsWith(title))
          ?.match(/^```sh$/gm)?.length ?? 0,
    );
    expect(run.reduce((sum, count) => sum + count, 0)).toBe(blocks);
  });
});

/** Changes a byte in the middle of the largest file. */
async function damageLargest(packs: string): Promise<void> {
  const names = (await readdir(packs, { recursive: true })).map((name) => join(packs, name));
  const files = await Promise.all(names.map(async (name) => ({ name, info: await stat(name) })));
  const largest = files.filter(({ info }) => info.isFile()).sort((a, b) => b.info.size - a.info.size)[0];
  if (!largest || !existsSync(largest.name)) throw new Error('there is no pack');
  const file = await open(largest.name, 'r+');
  const byte = Buffer.alloc(1);
  await file.read(byte, 0, 1, 1_000_000);
  byte[0] = (byte[0] as number) ^ 1;
  await file.write(byte, 0, 1, 1_000_000);
  await file.close();
}
