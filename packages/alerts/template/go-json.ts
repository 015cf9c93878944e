import { OpsError } from '#core/errors.ts';
import { sortedEntries } from './go-format.ts';
import { formatTime, isTime } from './go-time.ts';
import { type GoList, type GoMap, type GoStruct, indirect, type Value } from './go-values.ts';
import { limitError } from './template-errors.ts';

const MAX_DEPTH = 200;
const unsafe: Readonly<Record<string, string>> = {
  '<': '\\u003c',
  '>': '\\u003e',
  '&': '\\u0026',
  '\u2028': '\\u2028',
  '\u2029': '\\u2029',
};

function quoteJson(text: string): string {
  return JSON.stringify(text.toWellFormed()).replace(/[<>&\u2028\u2029]/g, (char) => unsafe[char] as string);
}

/** A value in JSON as Go's encoder writes it: maps by key, times in RFC 3339, `<`, `>` and `&` escaped. */
export function formatJson(value: Value, charge: (steps: number) => void, depth = 0): string {
  if (depth > MAX_DEPTH) throw limitError('', `a value that is nested more than ${MAX_DEPTH} deep cannot be printed`);
  charge(1);
  const target = indirect(value);
  if (target === undefined || target === null) return 'null';
  switch (typeof target) {
    case 'boolean':
    case 'bigint':
      return String(target);
    case 'string':
      charge(Math.ceil(target.length / 32));
      return quoteJson(target);
    case 'number':
      if (!Number.isFinite(target))
        throw new OpsError('input', `json: unsupported value: ${target > 0 ? '+Inf' : target < 0 ? '-Inf' : 'NaN'}`);
      return Object.is(target, -0) ? '-0' : String(target);
    default:
      return target.kind === 'named' ? formatJson(target.value, charge, depth) : formatComposite(target, charge, depth + 1);
  }
}

function formatComposite(value: GoList | GoMap | GoStruct, charge: (steps: number) => void, depth: number): string {
  const each = (item: Value) => formatJson(item, charge, depth);
  if (isTime(value)) return quoteJson(formatTime(value, '2006-01-02T15:04:05.999999999Z07:00'));
  if (value.kind === 'list') return `[${value.items.map(each).join(',')}]`;
  if (value.kind === 'map')
    return `{${sortedEntries(value)
      .map(([key, item]) => `${quoteJson(key)}:${each(item)}`)
      .join(',')}}`;
  const { json } = value;
  const fields = Object.entries(value.fields).filter(([name]) => !json || Object.hasOwn(json, name));
  return `{${fields.map(([name, item]) => `${quoteJson(json?.[name] ?? name)}:${each(item)}`).join(',')}}`;
}
