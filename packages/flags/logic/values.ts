// How JsonLogic sees values: as JavaScript does, but lists and objects are never coerced to text or numbers, which hostile contexts would make dear.

/** Empty text, 0, false, null and the empty list are false. */
export function isTruthy(value: unknown): boolean {
  return Array.isArray(value) ? value.length > 0 : Boolean(value);
}

/** JavaScript's Number() of what is no list or object; NaN for those, and for text that is no number or longer than any. */
export function toNumber(value: unknown): number {
  if (typeof value === 'number') return value;
  if (typeof value === 'string') return value.length > 400 ? Number.NaN : Number(value);
  if (value === null || value === undefined || value === false) return 0;
  return value === true ? 1 : Number.NaN;
}

/** A number that JSON can hold, or null. */
export function finite(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}

/** JavaScript's `==` of JSON's plain values; a list or an object equals nothing. */
export function looselyEqual(a: unknown, b: unknown): boolean {
  if (a === null || b === null) return a === b;
  if (typeof a === 'string' && typeof b === 'string') return a === b;
  return toNumber(a) === toNumber(b);
}

/** JavaScript's `===` of JSON's plain values; a list or an object equals nothing. */
export function strictlyEqual(a: unknown, b: unknown): boolean {
  return a === b && (typeof a !== 'object' || a === null);
}

/** JavaScript's `<`: two texts by their characters, anything else by number. */
export function isLess(a: unknown, b: unknown): boolean {
  return typeof a === 'string' && typeof b === 'string' ? a < b : toNumber(a) < toNumber(b);
}

/** JavaScript's `<=`. */
export function isAtMost(a: unknown, b: unknown): boolean {
  return typeof a === 'string' && typeof b === 'string' ? a <= b : toNumber(a) <= toNumber(b);
}

/** As `cat` joins it: nothing for null, a list or an object. */
export function toText(value: unknown): string {
  return value === null || value === undefined || typeof value === 'object' ? '' : String(value);
}

/** Reads a path of own properties and list positions; null where it leads nowhere. Prototypes are never reached. */
export function readPath(data: unknown, path: readonly string[]): unknown {
  let value = data;
  for (const name of path) value = readName(value, name);
  return value ?? null;
}

/** Reads one own property or list position; null where there is none. */
export function readName(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null) return null;
  if (Array.isArray(value) ? !isPosition(name) : !Object.hasOwn(value, name)) return null;
  return (value as Record<string, unknown>)[name] ?? null;
}

function isPosition(name: string): boolean {
  return /^(?:0|[1-9]\d{0,8})$/.test(name);
}
