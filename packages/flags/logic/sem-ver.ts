import compare from 'semver/functions/compare.js'; // the whole package would bundle ten times as much
import type { Operation } from './compiled.ts';

const FORM = /^[vV]?((?:0|[1-9]\d{0,15})(?:\.(?:0|[1-9]\d{0,15})){0,2})((?:-[0-9A-Za-z.-]{1,200})?(?:\+[0-9A-Za-z.-]{1,200})?)$/;
const IDENTIFIERS =
  /^(?:-(?:0|[1-9]\d*|\d*[A-Za-z-][0-9A-Za-z-]*)(?:\.(?:0|[1-9]\d*|\d*[A-Za-z-][0-9A-Za-z-]*))*)?(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?$/;

/** A version in full, `1.2` as `1.2.0`; undefined for what is none. flagd takes a leading v, and numbers. */
export function readVersion(value: unknown): string | undefined {
  if (typeof value !== 'string' && typeof value !== 'number') return undefined;
  const [, core, rest = ''] = FORM.exec(String(value).slice(0, 500)) ?? [];
  if (core === undefined || !IDENTIFIERS.test(rest)) return undefined;
  const parts = core.split('.');
  if (rest !== '' && parts.length < 3) return undefined;
  if (parts.some((part) => Number(part) > Number.MAX_SAFE_INTEGER)) return undefined;
  return [...parts, '0', '0'].slice(0, 3).join('.') + rest;
}

const partsOf = (version: string, count: number) => version.split('.', count).join('.');

const comparators: Readonly<Record<string, (a: string, b: string) => boolean>> = {
  '=': (a, b) => compare(a, b) === 0,
  '!=': (a, b) => compare(a, b) !== 0,
  '<': (a, b) => compare(a, b) < 0,
  '<=': (a, b) => compare(a, b) <= 0,
  '>': (a, b) => compare(a, b) > 0,
  '>=': (a, b) => compare(a, b) >= 0,
  '^': (a, b) => partsOf(a, 1) === partsOf(b, 1),
  '~': (a, b) => partsOf(a, 2) === partsOf(b, 2),
};

/** flagd's `sem_ver`: version, operator, version; null where a version is none. `^` asks for the same major version, `~` for the same minor one. */
export const semVer: Operation = {
  arity: [3, 3],
  build: ([left, operator, right], refuse) => {
    const name = operator!.constant?.value;
    const holds = typeof name === 'string' && Object.hasOwn(comparators, name) ? comparators[name] : undefined;
    if (!holds) return refuse(`the operator is one of ${Object.keys(comparators).join(' ')}`);
    for (const { constant } of [left!, right!]) {
      if (constant && readVersion(constant.value) === undefined)
        return refuse(`${JSON.stringify(constant.value)?.slice(0, 60)} is no version`);
    }
    const fixed = right!.constant && readVersion(right!.constant.value);
    return (env) => {
      const a = readVersion(left!.run(env));
      const b = fixed ?? readVersion(right!.run(env));
      return a === undefined || b === undefined ? null : holds(a, b);
    };
  },
};
