import { createHash } from 'node:crypto';
import type { ResolvedConfig, ResolvedValue } from './resolve.ts';

/** What a process says it runs with: SHA-256 of each value in hexadecimal; of secrets `set`, since nobody here may know them. */
export interface ObservedConfig {
  readonly instance: string;
  readonly env: Readonly<Record<string, string>>;
  readonly files: Readonly<Record<string, string>>;
}

/** One difference between what a process runs with and what it should. */
export interface Drift {
  readonly kind: 'env' | 'file';
  readonly name: string;
  readonly drift: 'missing' | 'different' | 'unexpected';
}

/** How a value is told without being told. */
export function hashValue(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** Compares by hash; of secrets only that they are there. Names that nobody here sets are unexpected only where the process says so. */
export function findDrift(resolved: Pick<ResolvedConfig, 'env' | 'files'>, observed: ObservedConfig): Drift[] {
  return [...compare('env', resolved.env, observed.env), ...compare('file', resolved.files, observed.files)];
}

function compare(kind: Drift['kind'], wanted: ReadonlyMap<string, ResolvedValue>, seen: Readonly<Record<string, string>>): Drift[] {
  const drifts = [...wanted].flatMap(([name, { value }]): Drift[] => {
    const hash = Object.hasOwn(seen, name) ? seen[name] : undefined;
    if (hash === undefined) return [{ kind, name, drift: 'missing' }];
    return typeof value === 'string' && hash !== hashValue(value) ? [{ kind, name, drift: 'different' }] : [];
  });
  const unexpected = Object.keys(seen).filter((name) => !wanted.has(name));
  return [...drifts, ...unexpected.map((name): Drift => ({ kind, name, drift: 'unexpected' }))];
}
