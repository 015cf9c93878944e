import type { FunctionTable, QueryRow, Value } from '#alerts/template/go-values.ts';
import { createList, stringListType, valueOfJson } from '#alerts/template/go-values.ts';
import { parseTemplate } from '#alerts/template/parse.ts';
import { type RenderOptions, renderTemplate } from '#alerts/template/render.ts';

/** Renders a text as the template called `test`. */
export async function render(text: string, functions: FunctionTable, data: Value, options: Partial<RenderOptions> = {}): Promise<string> {
  return renderTemplate(parseTemplate(text, { functions, name: 'test' }), data, { nowMs: 1_353_755_652_000, ...options });
}

/** What a text gives, or the message of its error. */
export async function outcome(text: string, functions: FunctionTable, data: Value, options: Partial<RenderOptions> = {}): Promise<string> {
  return render(text, functions, data, options).catch((error: Error) => `error: ${error.message}`);
}

export const rows = (...list: readonly [Record<string, string>, number][]): readonly QueryRow[] =>
  list.map(([labels, value]) => ({ labels, value }));
export const list = (...items: Value[]): Value => createList({ name: '[]interface {}', underlying: '[]interface {}' }, items);
export const texts = (...items: string[]): Value => createList(stringListType, items);

export const json = valueOfJson;
