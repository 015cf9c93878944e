import { type Document, isAlias, isMap, isScalar, isSeq, LineCounter, type Node, type Pair, parseAllDocuments, type Scalar } from 'yaml';
import { OpsError } from '#core/errors.ts';

/** A configuration as plain values: scalars are texts as written, an empty one is null. */
export interface ConfigYaml {
  /** Undefined where there is nothing. */
  readonly value: unknown;
  /** Where the field, or the nearest thing above it that is there, starts and ends. */
  place(path: readonly PropertyKey[]): { readonly line: number; readonly end: number };
}

const MAX_CHARS = 4 * 1024 * 1024;
const MAX_NODES = 200_000;
const MAX_DEPTH = 200;

/** Fields that take any YAML, by the list that their settings stand in (or the field above): their values keep their types. */
const free = new Set([
  'webhook_configs.payload',
  'pagerduty_configs.details',
  'jira_configs.fields',
  'oauth2.claims',
  '.tracing',
  '.event_recorder',
]);

/** Reads the first YAML document of a text. `input` with the line for what is no YAML, or too large or deep. */
export function parseConfigYaml(text: string): ConfigYaml {
  if (text.length > MAX_CHARS)
    throw new OpsError('input', `the configuration has ${text.length} characters; at most ${MAX_CHARS} are read`);
  const lines = new LineCounter();
  try {
    const documents = parseAllDocuments(text, {
      lineCounter: lines,
      stringKeys: true,
      prettyErrors: false,
      logLevel: 'error',
      merge: true,
    });
    const document = documents[0] as Document | undefined;
    const [fault] = document ? [...document.errors, ...document.warnings] : [];
    if (fault) throw new OpsError('input', `yaml: line ${lines.linePos(fault.pos[0]).line}: ${fault.message}`);
    const root = document?.contents as Node | null | undefined;
    const value = document && root ? convert({ document, lines, nodes: 0 }, root, []) : undefined;
    return { value: value ?? undefined, place: (path) => findPlace(document, lines, path) };
  } catch (error) {
    if (error instanceof RangeError || error instanceof ReferenceError) throw new OpsError('input', `yaml: ${error.message}`);
    throw error;
  }
}

interface Source {
  readonly document: Document;
  readonly lines: LineCounter;
  nodes: number;
}

function convert(source: Source, node: Node | null, path: readonly string[]): unknown {
  if (++source.nodes > MAX_NODES || path.length > MAX_DEPTH) throw new RangeError('too many values, or nested too deep');
  const target = isAlias(node) ? node.resolve(source.document) : node;
  if (isFree(path)) return target?.toJS(source.document, { maxAliasCount: 1_000 }) ?? null;
  if (isSeq(target)) return target.items.map((item) => convert(source, item as Node | null, [...path, '*']));
  if (isMap(target)) return convertMap(source, target.items as Pair<Node, Node | null>[], path);
  if (!isScalar(target) || target.value === null) return null;
  return typeof target.value === 'string' ? target.value : scalarText(target);
}

function isFree(path: readonly string[]): boolean {
  const last = path.at(-1);
  const above = path.at(-2) === '*' ? path.at(-3) : path.at(-2);
  return last !== undefined && free.has(`${above ?? ''}.${last}`);
}

/** A number or boolean as written: `+4912` is a telephone number. */
function scalarText(scalar: Scalar): string {
  return scalar.source ?? String(scalar.value);
}

function convertMap(source: Source, pairs: readonly Pair<Node, Node | null>[], path: readonly string[]): Record<string, unknown> {
  const merged: Record<string, unknown> = {};
  const own: Record<string, unknown> = {};
  for (const { key, value } of pairs) {
    const name = isScalar(key) ? scalarText(key) : String(key);
    if (name === '__proto__') throw lineFault(source, key, 'has a key __proto__, which nothing here takes');
    if (name !== '<<') own[name] = convert(source, value, [...path, name]);
    else for (const part of [convert(source, value, path)].flat()) Object.assign(merged, part, { ...merged });
  }
  return { ...merged, ...own };
}

function lineFault({ lines }: Source, node: Node, message: string): OpsError {
  return new OpsError('input', `yaml: line ${lines.linePos(node.range?.[0] ?? 0).line}: ${message}`);
}

function findPlace(document: Document | undefined, lines: LineCounter, path: readonly PropertyKey[]): { line: number; end: number } {
  let node = document?.contents as Node | null | undefined;
  let [start, end] = node?.range ?? [0, 0];
  for (const segment of path) {
    if (isAlias(node)) node = document && node.resolve(document);
    const next = stepInto(node, segment);
    if (!next) break;
    node = next.value;
    start = next.start?.range?.[0] ?? start;
    end = node?.range?.[1] ?? next.start?.range?.[1] ?? end;
  }
  return { line: lines.linePos(start).line, end };
}

function stepInto(node: Node | null | undefined, segment: PropertyKey): { start: Node | undefined; value: Node | undefined } | undefined {
  if (isSeq(node)) {
    const value = node.items[Number(segment)] as Node | undefined;
    return value && { start: value, value };
  }
  if (!isMap(node)) return undefined;
  const pair = node.items.find(({ key }) => isScalar(key) && scalarText(key) === String(segment));
  return pair && { start: pair.key as Node, value: (pair.value as Node | null) ?? undefined };
}
