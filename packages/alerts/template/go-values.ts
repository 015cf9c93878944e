/**
 * A value as Go's templates see it: `bigint` is an int, `number` a float64, `undefined` no value at all and `null` a nil.
 * Everything else carries its Go type, which decides its methods, how it prints, and what it may be an argument of.
 */
export type Value = undefined | null | boolean | number | bigint | string | GoNamed | GoList | GoMap | GoStruct | GoPointer;

/** A type with a name of its own, or an unnamed composite (`[]string`), whose name then is its underlying form. */
export interface GoType {
  readonly name: string;
  /** Of a named list or map: the unnamed type it may be given for. */
  readonly underlying?: string;
  readonly methods?: Readonly<Record<string, GoFunction>>;
  /** Its String method; printing uses it. */
  readonly text?: (value: never) => string;
}

/** A basic value of a named type: a duration, a month, text that is already HTML. */
export interface GoNamed {
  readonly kind: 'named';
  readonly type: GoType;
  readonly value: bigint | string;
}

export interface GoList {
  readonly kind: 'list';
  readonly type: GoType;
  readonly items: readonly Value[];
}

/** A map by text; `zero` is what a missing key gives. */
export interface GoMap {
  readonly kind: 'map';
  readonly type: GoType;
  readonly entries: ReadonlyMap<string, Value>;
  readonly zero: Value;
}

export interface GoStruct {
  readonly kind: 'struct';
  readonly type: GoType;
  readonly fields: Readonly<Record<string, Value>>;
  /** The name of each field in JSON, where it differs. */
  readonly json?: Readonly<Record<string, string>>;
}

/** Methods are found, fields read and text printed through a pointer; comparing and typing sees it. */
export interface GoPointer {
  readonly kind: 'pointer';
  readonly to: Value;
}

/** The names of parameter types: `any` takes everything; `value` too, and also tells a missing value from nil. */
export interface GoFunction {
  readonly params: readonly string[];
  /** Type of each argument past `params`. */
  readonly variadic?: string;
  /** Throws OpsError where Go's function returns an error or panics. */
  readonly call: (args: readonly Value[], context: CallContext, receiver: Value) => Value;
}

export type FunctionTable = Readonly<Record<string, GoFunction>>;

/** One row of an instant query; a histogram's value is its text. */
export interface QueryRow {
  /** `__name__` among them. */
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number | string;
}

/** What a function may know of the rendering it is called in. */
export interface CallContext {
  readonly nowMs: number;
  /** Where users reach this system, without a slash at the end. */
  readonly externalUrl: string;
  /** Rows of an instant query; never returns where they are not known yet. */
  readonly query: (expression: string) => readonly QueryRow[];
  /** Renders the text of a route's label on the same data, with the same templates. */
  readonly render: (text: string, label: string) => string;
  /** The data of the whole rendering. */
  readonly data: Value;
  /** Takes `steps` from what the rendering may still do; throws `limit` when that is used up. */
  readonly charge: (steps: number) => void;
}

export const stringListType: GoType = { name: '[]string', underlying: '[]string' };
export const anyListType: GoType = { name: '[]interface {}', underlying: '[]interface {}' };
export const stringMapType: GoType = { name: 'map[string]string', underlying: 'map[string]string' };
const anyMapType: GoType = { name: 'map[string]interface {}', underlying: 'map[string]interface {}' };

export function createList(type: GoType, items: readonly Value[]): GoList {
  return { kind: 'list', type, items };
}

/** A map of texts, in which a missing key is ''. */
export function createStringMap(type: GoType, entries: Readonly<Record<string, string>> | ReadonlyMap<string, string>): GoMap {
  return { kind: 'map', type, entries: entries instanceof Map ? entries : new Map(Object.entries(entries)), zero: '' };
}

export function createAnyMap(entries: ReadonlyMap<string, Value>): GoMap {
  return { kind: 'map', type: anyMapType, entries, zero: undefined };
}

/** A value of the JSON of a user: whole numbers are floats too, as Go's decoder has them. */
export function valueOfJson(json: unknown): Value {
  if (json === null || json === undefined) return undefined;
  if (typeof json === 'string' || typeof json === 'number' || typeof json === 'boolean') return json;
  if (Array.isArray(json)) return createList(anyListType, json.map(valueOfJson));
  return createAnyMap(new Map(Object.entries(json as object).map(([key, value]) => [key, valueOfJson(value)])));
}

/** The name of a value's type as Go prints it (`%T`). */
export function typeName(value: Value): string {
  switch (typeof value) {
    case 'undefined':
      return '<nil>';
    case 'boolean':
      return 'bool';
    case 'number':
      return 'float64';
    case 'bigint':
      return 'int';
    case 'string':
      return 'string';
    default:
      if (value === null) return '<nil>';
      return value.kind === 'pointer' ? `*${typeName(value.to)}` : value.type.name;
  }
}

/** Whether Go would let a value stand where the named type is asked for. */
export function isAssignable(value: Value, type: string): boolean {
  if (type === 'any' || type === 'value') return true;
  if (typeName(value) === type) return true;
  return typeof value === 'object' && value !== null && value.kind !== 'pointer' && value.type.underlying === type;
}

/** Follows pointers to what they point to. */
export function indirect(value: Value): Exclude<Value, GoPointer> {
  let at = value;
  while (typeof at === 'object' && at !== null && at.kind === 'pointer') at = at.to;
  return at as Exclude<Value, GoPointer>;
}

/** Go's truth: false is what is empty, zero, nil or not there; a struct is always true. */
export function isTrue(value: Value): boolean {
  if (typeof value === 'number') return value !== 0; // NaN is true
  if (typeof value !== 'object' || value === null) return Boolean(value);
  switch (value.kind) {
    case 'named':
      return Boolean(value.value);
    case 'list':
      return value.items.length > 0;
    case 'map':
      return value.entries.size > 0;
    default:
      return true;
  }
}

/** A text's length in UTF-8 bytes, as Go counts it. */
export function byteLength(text: string): number {
  return Buffer.byteLength(text);
}
