import { parse } from 'yaml';
import type { Composing } from './composing.ts';

/**
 * Executes the templates in every text of a value, names of fields among them. A text that comes out as YAML of another type becomes
 * that (`{{ len .Alerts }}` a number, `{{ toJson .Alerts }}` a list), as in Alertmanager; one that merely looks like a broken or
 * ambiguous document (a name twice) stays the text that it is.
 */
export async function renderDeep(text: Composing['text'], value: unknown): Promise<unknown> {
  if (typeof value === 'string') return readTyped(await text(value));
  if (Array.isArray(value)) {
    const items: unknown[] = [];
    for (const item of value) items.push(await renderDeep(text, item));
    return items;
  }
  if (typeof value !== 'object' || value === null) return value;
  const fields: [string, unknown][] = [];
  for (const [name, field] of Object.entries(value)) fields.push([await text(name), await renderDeep(text, field)]);
  return Object.fromEntries(fields);
}

function readTyped(text: string): unknown {
  try {
    const value: unknown = parse(text, { schema: 'yaml-1.1', maxAliasCount: 0, logLevel: 'error', prettyErrors: false });
    return typeof value === 'string' || value instanceof Date ? text : JSON.parse(JSON.stringify(value));
  } catch {
    return text;
  }
}
