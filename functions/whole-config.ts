import { type Config, type ConfigFiles, loadConfig } from '#config/load-config.ts';
import { compileAlerting } from './alerting.ts';
import { compileBackups } from './backup-files.ts';
import { compileFlags } from './flag-files.ts';
import { compileApplications } from './release-files.ts';

/** Reads a configuration folder with every file that anything here takes; `input` with a line for each problem. */
export async function loadWholeConfig(files: ConfigFiles): Promise<Config> {
  const config = await loadConfig(files);
  await compileAlerting(config);
  await compileBackups(config);
  await compileApplications(config);
  await compileFlags(config);
  return config;
}
