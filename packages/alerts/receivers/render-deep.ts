import { parse } from 'yaml';
import type { Composing } from './composing.ts';

/**
 * Executes the templates in every text of a value, names of fields among them. A text that comes out as YAML of another type becomes
 * that (`{{ len .Alerts }}` a number, `{{ toJson .Alerts }}` a list, nothing at all null), as in Alertmanager. Words that are true or
 * false in YAML 1.1 alone (`no`, `on`) stay texts, and so does what would be a broken or ambiguous document (a name twice).
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
    const value: unknown = parse(text, { schema: 'core', maxAliasCount: 0, logLevel: 'error', prettyErrors: false });
    // What JSON's numbers cannot hold exactly is no number.
    const isLost = typeof value === 'number' && (!Number.isFinite(value) || Math.abs(value) > Number.MAX_SAFE_INTEGER);
    return typeof value === 'string' || isLost ? text : JSON.parse(JSON.stringify(value));
  } catch {
    return text;
  }
}
