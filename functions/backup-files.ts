import { BackupsFile, NO_BACKUPS } from '#backups/jobs/backups-file.ts';
import type { Config } from '#config/load-config.ts';
import { OpsError } from '#core/errors.ts';
import { readYamlValue } from './yaml-value.ts';

const FILE = 'backups.yaml';
const compiled = new WeakMap<Config, Promise<BackupsFile>>();

/** What a configuration says of backups, once; `input` with a line for each problem: `backups.yaml:4:9: ...`. */
export function compileBackups(config: Config): Promise<BackupsFile> {
  let file = compiled.get(config);
  if (!file) {
    file = compileFile(config);
    compiled.set(config, file);
  }
  return file;
}

async function compileFile({ files }: Config): Promise<BackupsFile> {
  const text = await files.readFile(FILE);
  if (text === undefined) return NO_BACKUPS;
  const { value, problems } = readYamlValue(FILE, text, BackupsFile);
  if (value) return value;
  throw new OpsError('input', problems.join('\n'));
}
