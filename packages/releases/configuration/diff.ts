import type { Value } from './document.ts';
import type { ResolvedConfig } from './resolve.ts';

/** One name that two configurations do not say the same of. Secrets are shown by where they are kept. */
export interface ConfigChange {
  readonly kind: 'env' | 'file';
  readonly name: string;
  readonly change: 'added' | 'removed' | 'changed';
  readonly from?: Value | undefined;
  readonly to?: Value | undefined;
}

type Values = Pick<ResolvedConfig, 'env' | 'files'>;

/** What becomes of the first on the way to the second, by name. */
export function diffConfigs(from: Values, to: Values): ConfigChange[] {
  return [...diffValues('env', from.env, to.env), ...diffValues('file', from.files, to.files)];
}

type Named = ReadonlyMap<string, { readonly value: Value }>;

function diffValues(kind: ConfigChange['kind'], from: Named, to: Named): ConfigChange[] {
  return [...new Set([...from.keys(), ...to.keys()])].sort().flatMap((name): ConfigChange[] => {
    const [before, after] = [from.get(name)?.value, to.get(name)?.value];
    if (JSON.stringify(before) === JSON.stringify(after)) return [];
    const change = before === undefined ? 'added' : after === undefined ? 'removed' : 'changed';
    return [{ kind, name, change, from: before, to: after }];
  });
}
