import { escapeHtml } from './escapes.ts';
import { formatValue } from './go-format.ts';
import { type CallContext, indirect, type Value } from './go-values.ts';
import type { Output } from './state.ts';

/** Output that escapes what is printed. */
export function createHtmlOutput(append: (text: string) => void, { charge }: CallContext): Output {
  return {
    writeText: append,
    printValue: (value: Value) => {
      const target = indirect(value);
      append(target === undefined || target === null ? '' : escapeHtml(formatValue(target, charge)));
    },
  };
}
