import type * as z from 'zod';
import { checkYamlFile, formatProblem, parseYamlFile } from '#config/yaml-file.ts';

/** What a YAML file of a configuration folder comes to, or what is wrong with it, a line each. */
export function readYamlValue<T>(
  path: string,
  text: string,
  schema: z.ZodType<T>,
): { readonly value?: T; readonly problems: readonly string[] } {
  const yaml = parseYamlFile(path, text);
  const checked = 'value' in yaml ? checkYamlFile(yaml, schema) : yaml;
  return 'value' in checked ? { value: checked.value, problems: [] } : { problems: checked.map(formatProblem) };
}
