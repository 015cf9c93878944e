import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';

export const root = resolve(import.meta.dirname, '..', '..');

/** What lint says about one file. */
export interface Finding {
  readonly path: string;
  readonly rule: string;
  readonly message: string;
  readonly severity: string;
}

/** Runs the project's own Biome over a folder, by the configuration in it. */
export async function lintFolder(folder: string): Promise<{ code: number; findings: Finding[] }> {
  const biome = join(root, 'node_modules', '.bin', 'biome');
  const args = ['lint', '--reporter=json', '--max-diagnostics=none', '.'];
  const { code, stdout, stderr } = await run(biome, args, folder);
  if (!stdout.startsWith('{')) throw new Error(`Biome gave no report: ${stderr}`);
  const report = JSON.parse(stdout) as Report;
  const findings = report.diagnostics.map(({ location, category, message, severity }) => ({
    path: location?.path ?? '',
    rule: category,
    message,
    severity,
  }));
  return { code, findings };
}

/** Lints files as if they were in the project, in a folder of their own that has its configuration and is gone afterwards. */
export async function lintPlanted(files: ReadonlyMap<string, string>): Promise<{ code: number; findings: Finding[] }> {
  const folder = mkdtempSync(join(tmpdir(), 'quarterdeck-lint-'));
  try {
    for (const name of ['biome.json', 'package.json', 'tsconfig.json', '.gitignore', 'scripts']) {
      cpSync(join(root, name), join(folder, name), { recursive: true });
    }
    for (const [path, text] of files) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), text);
    }
    return await lintFolder(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

interface Report {
  readonly diagnostics: readonly {
    readonly category: string;
    readonly message: string;
    readonly severity: string;
    readonly location?: { readonly path: string };
  }[];
}

function run(file: string, args: string[], cwd: string): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((done, reject) => {
    execFile(file, args, { cwd, maxBuffer: 64 * 1024 * 1024 }, (error, stdout, stderr) => {
      if (error && typeof error.code !== 'number') reject(error);
      else done({ code: error ? Number(error.code) : 0, stdout, stderr });
    });
  });
}
