import type * as z from 'zod';
import { OpsError } from '#core/errors.ts';
import type { Environment } from './settings.ts';

/** What the deployment linked to a function, by name: bucket and table names, addresses. */
export type Resources = ReadonlyMap<string, unknown>;

const PREFIX = 'SST_RESOURCE_';

/** Reads every `SST_RESOURCE_<Name>` once. `input` naming those that are no JSON; values are never shown. */
export function readResources(env: Environment = process.env): Resources {
  const resources = new Map<string, unknown>();
  const broken: string[] = [];
  for (const [name, text] of Object.entries(env)) {
    if (!name.startsWith(PREFIX) || text === undefined) continue;
    try {
      resources.set(name.slice(PREFIX.length), JSON.parse(text));
    } catch {
      broken.push(`${name}: got ${text.length} characters that are no JSON; takes the JSON that the deployment sets`);
    }
  }
  if (broken.length > 0) throw new OpsError('input', broken.join('\n'));
  return resources;
}

/** One linked resource in its expected shape; `input` naming the variable and the field if it is missing or differs. */
export function takeResource<T>(resources: Resources, name: string, schema: z.ZodType<T>): T {
  const parsed = schema.safeParse(resources.get(name));
  if (parsed.success) return parsed.data;
  const fields = parsed.error.issues.map(({ path, message }) => `${[PREFIX + name, ...path].join('.')}: ${message}`);
  throw new OpsError('input', fields.join('\n'), { hint: `Link ${name} to this function in stacks/.` });
}
