import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const EVAL = /^eval(?:_\w+)?\s+(?:instant\s+at\s+\S+|range\s+from\s+\S+\s+to\s+\S+\s+step\s+\S+)\s+(.*)$/;

/** Every expression that the promqltest scripts of a folder evaluate, each once. */
export function readEvalExpressions(folder: string): string[] {
  const expressions = new Set<string>();
  for (const name of readdirSync(folder).filter((file) => file.endsWith('.test'))) {
    for (const line of readFileSync(join(folder, name), 'utf8').split('\n')) {
      const match = EVAL.exec(line.trim());
      if (match !== null) expressions.add(match[1]);
    }
  }
  return [...expressions];
}
