import { execFile } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, readFile, rename, rm, symlink } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';

/** The project's folder. */
export const root = resolve(import.meta.dirname, '..', '..');

const cache = join(root, '.cache', 'sst');

/**
 * SST's own sources of its components, as this version of its command carries them. Not where `sst deploy` keeps its copy, since
 * this one lacks the dependencies that the command would install: those that are needed here are devDependencies of ours.
 */
export const platform = join(cache, 'platform');

/** Unpacks the platform where it is not there yet, without a network. It is what stacks/ is checked and tested against. */
export async function unpackPlatform(): Promise<void> {
  const sst = join(root, 'node_modules', 'sst'); // it exports neither its manifest nor its command
  const { version } = JSON.parse(await readFile(join(sst, 'package.json'), 'utf8')) as { version: string };
  if ((await unpackedVersion()) === version) return;
  await mkdir(cache, { recursive: true });
  const work = await mkdtemp(join(cache, 'unpacking-'));
  try {
    await copyFile(join(root, 'sst.config.ts'), join(work, 'sst.config.ts'));
    await symlink(join(root, 'stacks'), join(work, 'stacks')); // the command bundles all that the configuration imports
    const env = {
      ...process.env,
      XDG_CONFIG_HOME: join(work, 'home'),
      SST_SKIP_DEPENDENCY_CHECK: '1',
      SST_TELEMETRY_DISABLED: '1',
      SST_BUN_PATH: '/bin/true', // it would install the platform's dependencies
    };
    const args = [join(sst, 'bin', 'sst.mjs'), 'install', '--stage', 'test'];
    await promisify(execFile)(process.execPath, args, { cwd: work, env });
    await putInPlace(join(work, '.sst', 'platform'), version);
  } finally {
    await rm(work, { recursive: true });
  }
}

/** Several processes may unpack at once: the first one's stays. */
async function putInPlace(unpacked: string, version: string): Promise<void> {
  if ((await unpackedVersion()) !== version) await rm(platform, { recursive: true, force: true });
  await rename(unpacked, platform).catch(async (error) => {
    if ((await unpackedVersion()) !== version) throw error;
  });
}

async function unpackedVersion(): Promise<string | undefined> {
  return (await readFile(join(platform, 'version'), 'utf8').catch(() => undefined))?.trim();
}

if (import.meta.main) await unpackPlatform();
