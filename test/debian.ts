import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';

const cache = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'quarterdeck-debian');

/** The path of a program of a Debian package, or undefined where this machine lacks it (in CI it is fetched, and failing that fails). */
export function debianProgram(packageName: string, program: string): string | undefined {
  const path = join(cache, packageName, 'usr', 'bin', program);
  if (!existsSync(path) && process.env.CI === 'true') {
    execFileSync(resolve(import.meta.dirname, 'debian.sh'), ['unpack', packageName], { timeout: 240_000 });
  }
  return existsSync(path) ? path : undefined;
}
