import {
  type Alias,
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseAllDocuments,
  type Scalar,
  visit,
  type YAMLMap,
} from 'yaml';
import { parseDuration } from '#core/duration.ts';

/** Something wrong at a place of a YAML text; both count from 1. */
export interface YamlFault {
  readonly line: number;
  readonly col: number;
  readonly message: string;
}

/** Reads the nodes of one document as Go's yaml.v3 decodes into typed fields; what does not fit becomes a fault and an empty value. */
export interface StrictYaml {
  readonly root: Node | undefined;
  /** What is wrong so far; of all documents of one text. */
  readonly faults: YamlFault[];
  /** Fields that nobody knows, where those are no faults. */
  readonly unknown: YamlFault[];
  place(node: Node | undefined): { readonly line: number; readonly col: number };
  fail(node: Node | undefined, message: string): void;
  /** The fields of a mapping, merged ones (`<<`) included; undefined for an absent or null node. */
  fields(node: Node | undefined, what: string, known: readonly string[]): Fields;
  list(node: Node | undefined, what: string): readonly Node[];
  /** Text; what YAML takes for a number or a truth value counts as it is written. */
  text(node: Node | undefined): string;
  integer(node: Node | undefined): number;
  number(node: Node | undefined): number;
  flag(node: Node | undefined): boolean;
  durationMs(node: Node | undefined): number;
  textMap(node: Node | undefined, what: string): Readonly<Record<string, string>>;
}

/** The value nodes of a mapping by field, and the nodes of the names. */
export interface Fields {
  get(name: string): Node | undefined;
  keyOf(name: string): Node | undefined;
  readonly names: readonly string[];
}

export interface StrictYamlOptions {
  /** Unknown fields are no faults. */
  readonly ignoreUnknownFields?: boolean | undefined;
  /** Documents after the first are not looked at. */
  readonly onlyFirst?: boolean | undefined;
}

/** Longest text that is read, in characters. */
const MAX_CHARS = 16 * 1024 * 1024;
/** Most mappings and lists that are read, those that aliases repeat counted again. */
const MAX_COLLECTIONS = 200_000;

/** A YAML text that was read. */
export interface YamlDocuments {
  /** At least one, which is empty where the text is. */
  readonly documents: readonly [StrictYaml, ...StrictYaml[]];
  /** How many there are, those not looked at among them. */
  readonly count: number;
  readonly faults: readonly YamlFault[];
  readonly unknown: readonly YamlFault[];
}

/** The documents of a YAML text. `faults` has what makes it no YAML; the roots are undefined then. */
export function readYamlDocuments(text: string, options: StrictYamlOptions = {}): YamlDocuments {
  const lines = new LineCounter();
  const faults: YamlFault[] = [];
  if (text.length > MAX_CHARS)
    faults.push({ line: 1, col: 1, message: `the file has ${text.length} characters; at most ${MAX_CHARS} are read` });
  const documents = faults.length > 0 ? [] : parseDocuments(text, lines);
  const unknown: YamlFault[] = [];
  const count = { collections: 0 };
  const [first, ...rest] = documents
    .slice(0, options.onlyFirst ? 1 : undefined)
    .map((document) => readDocument(document, { lines, faults, unknown, count, options }));
  const documentsRead: YamlDocuments['documents'] = [first ?? readDocument(undefined, { lines, faults, unknown, count, options }), ...rest];
  return { documents: documentsRead, faults, unknown, count: documents.length };
}

interface Reading {
  readonly lines: LineCounter;
  readonly faults: YamlFault[];
  readonly unknown: YamlFault[];
  /** Mappings and lists read so far. */
  readonly count: { collections: number };
  readonly options: StrictYamlOptions;
}

function readDocument(document: Document | undefined, { lines, faults, unknown, count, options }: Reading): StrictYaml {
  const place = (node: Node | undefined) => linePlace(lines, node?.range?.[0] ?? 0);
  const fail = (node: Node | undefined, message: string) => void faults.push({ ...place(node), message });
  const error = document?.errors[0];
  if (error) faults.push({ ...linePlace(lines, error.pos[0]), message: `yaml: ${error.message}` });
  const targets = findTargets(document);
  const resolve = (node: Node | undefined): Node | undefined => {
    const target = isAlias(node) ? targets.get(node) : node;
    if (isAlias(node) && target === undefined) fail(node, `yaml: unknown anchor '${node.source}' referenced`);
    if (!isMap(target) && !isSeq(target)) return target;
    if (++count.collections === MAX_COLLECTIONS) fail(node, `more than ${MAX_COLLECTIONS} mappings and lists, repeated ones counted`);
    return count.collections < MAX_COLLECTIONS ? target : undefined;
  };
  const context: Context = { faults, fail, resolve, place, unknown: options.ignoreUnknownFields ? unknown : faults };
  return {
    root: error ? undefined : ((document?.contents as Node | null | undefined) ?? undefined),
    faults,
    unknown,
    place,
    fail,
    fields: (node, what, known) => readFields(context, node, what, known),
    list: (node, what) => readList(context, node, what),
    text: (node) => readText(context, node),
    integer: (node) => readNumber(context, node, 'int', Number.isSafeInteger),
    number: (node) => readNumber(context, node, 'float64', () => true),
    flag: (node) => readFlag(context, node),
    durationMs: (node) => readDuration(context, node),
    textMap: (node, what) => readTextMap(context, node, what),
  };
}

/** What each alias stands for, found in one walk: the library's own way walks the document for each. */
function findTargets(document: Document | undefined): ReadonlyMap<Alias, Node> {
  const anchors = new Map<string, Node>();
  const targets = new Map<Alias, Node>();
  if (!document) return targets;
  visit(document, {
    Node(_, node) {
      const target = isAlias(node) ? anchors.get(node.source) : undefined;
      if (isAlias(node) && target) targets.set(node, target);
      else if (!isAlias(node) && node.anchor) anchors.set(node.anchor, node);
    },
  });
  return targets;
}

interface Context {
  readonly faults: YamlFault[];
  /** Where unknown fields are noted. */
  readonly unknown: YamlFault[];
  fail(node: Node | undefined, message: string): void;
  resolve(node: Node | undefined): Node | undefined;
  place(node: Node | undefined): { readonly line: number; readonly col: number };
}

function parseDocuments(text: string, lineCounter: LineCounter): readonly Document[] {
  const documents = parseAllDocuments(text, { lineCounter, stringKeys: true, prettyErrors: false, logLevel: 'error' });
  return Array.isArray(documents) ? documents : [];
}

function linePlace(lines: LineCounter, offset: number): { line: number; col: number } {
  const { line, col } = lines.linePos(offset);
  return { line: Math.max(1, line), col: Math.max(1, col) };
}

function isNull(node: Node | undefined): boolean {
  return node === undefined || node === null || (isScalar(node) && node.value === null);
}

function readFields(context: Context, node: Node | undefined, what: string, known: readonly string[]): Fields {
  const values = new Map<string, { key: Node; value: Node | undefined }>();
  const map = context.resolve(node);
  if (isMap(map)) addFields(context, map as YAMLMap<Node, Node | null>, values, 0);
  else if (!isNull(map)) context.fail(node, `cannot unmarshal ${nameNode(map)} into ${what}`);
  for (const [name, { key }] of values) {
    if (known.includes(name)) continue;
    context.unknown.push({ ...context.place(key), message: `field ${name} not found in ${what}; accepted: ${known.join(', ')}` });
  }
  return { get: (name) => values.get(name)?.value, keyOf: (name) => values.get(name)?.key, names: [...values.keys()] };
}

/** A mapping's own fields win over those merged in, and earlier merged ones over later. */
function addFields(
  context: Context,
  map: YAMLMap<Node, Node | null>,
  values: Map<string, { key: Node; value: Node | undefined }>,
  depth: number,
): void {
  const merged: Node[] = [];
  for (const { key, value } of map.items) {
    const name = readText(context, key);
    if (name === '<<' && value) merged.push(value);
    else if (!values.has(name)) values.set(name, { key, value: value ?? undefined });
  }
  for (const node of merged) {
    const target = context.resolve(node);
    const sources = isSeq(target) ? target.items.map((item) => context.resolve(item as Node)) : [target];
    for (const source of sources) {
      if (isMap(source) && depth < 10) addFields(context, source as YAMLMap<Node, Node | null>, values, depth + 1);
      else context.fail(node, 'map merge requires map or sequence of maps as the value');
    }
  }
}

function readList(context: Context, node: Node | undefined, what: string): readonly Node[] {
  const list = context.resolve(node);
  if (isSeq(list)) return list.items as Node[];
  if (!isNull(list)) context.fail(node, `cannot unmarshal ${nameNode(list)} into ${what}`);
  return [];
}

function readText(context: Context, node: Node | undefined): string {
  const scalar = context.resolve(node);
  if (isNull(scalar)) return '';
  if (!isScalar(scalar)) {
    context.fail(node, `cannot unmarshal ${nameNode(scalar)} into string`);
    return '';
  }
  const { value, source } = scalar as Scalar;
  return typeof value === 'string' ? value : (source ?? String(value));
}

function readNumber(context: Context, node: Node | undefined, type: string, accepts: (value: number) => boolean): number {
  const scalar = context.resolve(node);
  if (isNull(scalar)) return 0;
  const value = isScalar(scalar) ? scalar.value : undefined;
  if (typeof value === 'number' && accepts(value)) return value;
  context.fail(node, `cannot unmarshal ${nameNode(scalar)} into ${type}`);
  return 0;
}

function readFlag(context: Context, node: Node | undefined): boolean {
  const scalar = context.resolve(node);
  if (isNull(scalar)) return false;
  const value = isScalar(scalar) ? scalar.value : undefined;
  if (typeof value === 'boolean') return value;
  context.fail(node, `cannot unmarshal ${nameNode(scalar)} into bool`);
  return false;
}

/** The longest duration there is in Go: 2^63 - 1 nanoseconds. */
const MAX_DURATION_MS = 9_223_372_036_854.775;

function readDuration(context: Context, node: Node | undefined): number {
  if (isNull(context.resolve(node))) return 0;
  const text = readText(context, node);
  const ms = parseDuration(text);
  if (ms !== undefined && ms <= MAX_DURATION_MS) return ms;
  if (ms !== undefined) context.fail(node, 'duration out of range');
  else context.fail(node, text === '' ? 'empty duration string' : `not a valid duration string: ${JSON.stringify(text.slice(0, 60))}`);
  return 0;
}

function readTextMap(context: Context, node: Node | undefined, what: string): Readonly<Record<string, string>> {
  const map = context.resolve(node);
  if (!isMap(map)) {
    if (!isNull(map)) context.fail(node, `cannot unmarshal ${nameNode(map)} into ${what}`);
    return {};
  }
  const values = new Map<string, { key: Node; value: Node | undefined }>();
  addFields(context, map as YAMLMap<Node, Node | null>, values, 0);
  return Object.fromEntries([...values].map(([name, { value }]) => [name, readText(context, value)]));
}

function nameNode(node: Node | undefined): string {
  if (isMap(node)) return '!!map';
  if (isSeq(node)) return '!!seq';
  if (!isScalar(node)) return '!!null';
  const type =
    typeof node.value === 'number' ? (Number.isInteger(node.value) ? 'int' : 'float') : typeof node.value === 'boolean' ? 'bool' : 'str';
  return `!!${type} \`${String(node.source ?? node.value).slice(0, 30)}\``;
}
