import { type Document, isAlias, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument, visit } from 'yaml';
import type * as z from 'zod';
import { OpsError } from '#core/errors.ts';
import { describeIssue } from './describe-issue.ts';

/** One thing wrong with a file; line and column count from 1. */
export interface Problem {
  readonly file: string;
  readonly line: number;
  readonly col: number;
  /** `tenants.default[0].name`; '' for the file as a whole. */
  readonly path: string;
  readonly message: string;
}

/** A YAML file that was read, with the places of its fields. */
export interface YamlFile {
  readonly file: string;
  readonly value: unknown;
  /** A problem at the field, or at the nearest thing above it that the file has. `atKey`: at the field's name. */
  problemAt(path: readonly PropertyKey[], message: string, atKey?: boolean): Problem;
}

const MAX_CHARS = 4 * 1024 * 1024;
/** How often anchors may be repeated in all, nested ones multiplied. */
const MAX_ALIASES = 1_000;

/** Reads one YAML document. Keys are strings as written; an empty file is an empty mapping. Nothing but a list of problems comes of a bad one. */
export function parseYamlFile(file: string, text: string): YamlFile | readonly Problem[] {
  const fail = (message: string, line = 1, col = 1) => [{ file, line, col, path: '', message }];
  if (text.length > MAX_CHARS) return fail(`the file has ${text.length} characters; at most ${MAX_CHARS} are read`);
  const lines = new LineCounter();
  try {
    const document = parseDocument(text, { lineCounter: lines, stringKeys: true, prettyErrors: false, logLevel: 'error' });
    const faults = [...document.errors, ...document.warnings];
    if (faults.length > 0) {
      return faults.slice(0, 5).map((fault) => {
        const { line, col } = lines.linePos(fault.pos[0]);
        return { file, line, col, path: '', message: `is no valid YAML: ${fault.message}` };
      });
    }
    const inherited = findInherited(document);
    if (inherited !== undefined) {
      const { line, col } = lines.linePos(inherited);
      return fail('has a key __proto__, which nothing here takes', line, col);
    }
    const value: unknown = document.toJS({ maxAliasCount: MAX_ALIASES }) ?? {};
    return { file, value, problemAt: (path, message, atKey) => locate({ file, document, lines }, path, message, atKey) };
  } catch (error) {
    return fail(`is no usable YAML: ${error instanceof Error ? error.message : String(error)}`); // aliases too many, unknown or nested too deep
  }
}

/** Where a key `__proto__` stands, which validation would pass over in silence. */
function findInherited(document: Document): number | undefined {
  let found: number | undefined;
  visit(document, {
    Pair: (_, { key }) => {
      if (!isScalar(key) || key.value !== '__proto__') return undefined;
      found = key.range?.[0] ?? 0;
      return visit.BREAK;
    },
  });
  return found;
}

interface Source {
  readonly file: string;
  readonly document: Document;
  readonly lines: LineCounter;
}

function locate({ file, document, lines }: Source, path: readonly PropertyKey[], message: string, atKey = false): Problem {
  let node = document.contents as Node | null | undefined;
  let offset = node?.range?.[0] ?? 0;
  for (const [i, segment] of path.entries()) {
    if (isAlias(node)) node = node.resolve(document);
    const next = stepInto(node, segment);
    if (!next) break;
    node = next.value;
    offset = (atKey && i === path.length - 1 ? next.key : (node ?? next.key))?.range?.[0] ?? offset;
  }
  const { line, col } = lines.linePos(offset);
  return { file, line, col, path: formatPath(path), message };
}

function stepInto(node: Node | null | undefined, segment: PropertyKey): { key: Node | undefined; value: Node | undefined } | undefined {
  if (isSeq(node)) {
    const value = node.items[Number(segment)] as Node | undefined;
    return value && { key: value, value };
  }
  if (!isMap(node)) return undefined;
  const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === String(segment));
  return pair && { key: pair.key as Node, value: (pair.value as Node | null) ?? undefined };
}

/** `a.b[0]."c d"`. */
function formatPath(path: readonly PropertyKey[]): string {
  return path
    .map((segment) => {
      if (typeof segment === 'number') return `[${segment}]`;
      const name = String(segment);
      return `.${/^[\w*-]+$/.test(name) ? name : JSON.stringify(name)}`;
    })
    .join('')
    .replace(/^\./, '');
}

/** `pipeline.yaml:4:7: tenants.default[0].name: is missing`. */
export function formatProblem({ file, line, col, path, message }: Problem): string {
  return `${file}:${line}:${col}: ${path === '' ? '' : `${path}: `}${message}`;
}

/** What the schema makes of the file, or everything that is wrong with it. */
export function checkYamlFile<T>(yaml: YamlFile, schema: z.ZodType<T>): { readonly value: T } | readonly Problem[] {
  const parsed = schema.safeParse(yaml.value, { reportInput: true });
  if (parsed.success) return { value: parsed.data };
  return parsed.error.issues.flatMap((issue) =>
    describeIssue(issue).map(({ path, message, atKey }) => yaml.problemAt(path, message, atKey)),
  );
}

/** One `input` error that lists every problem, in the order of the files. */
export function throwProblems(problems: readonly Problem[]): never {
  const shown = problems.slice(0, 50).map(formatProblem);
  if (problems.length > shown.length) shown.push(`and ${problems.length - shown.length} more`);
  throw new OpsError('input', shown.join('\n'), {
    hint: 'Nothing of the configuration was taken; correct every line named and start again.',
  });
}
