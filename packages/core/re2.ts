import { RE2JS } from 're2js';
import { OpsError } from './errors.ts';

/** A compiled RE2 pattern: runs in time linear in its input. */
export interface Re2 {
  readonly source: string;
  test(text: string): boolean;
}

/** Compiles a pattern that must match the whole text, as Prometheus does (`^(?s:pattern)$`). `input` where RE2 refuses it. */
export function compileAnchored(pattern: string): Re2 {
  try {
    const compiled = RE2JS.compile(`^(?s:${pattern})$`);
    return { source: pattern, test: (text) => compiled.matcher(text).matches() };
  } catch (cause) {
    throw new OpsError('input', `invalid regular expression: ${(cause as Error).message}`, { cause });
  }
}
