import { type Config, type ConfigFiles, loadConfig } from '#config/load-config.ts';

/**
 * Reads a configuration for a function that has no need of all of it: the tenants and the pipeline, and what `compile` makes of further files.
 * Who pushes a configuration has had the whole of it checked.
 */
export function loadWith(...compile: readonly ((config: Config) => Promise<unknown>)[]): (files: ConfigFiles) => Promise<Config> {
  return async (files) => {
    const config = await loadConfig(files);
    for (const each of compile) await each(config);
    return config;
  };
}
