import { type Series, seriesKey } from '#model/series.ts';
import type { MemorySample } from '#ports/memory/memory-sample-source.ts';
import {
  readDuration,
  readMetric,
  readNumber,
  readSeriesLine,
  readStartOffsets,
  type SequenceValue,
} from '#query/promql/series-notation.ts';
import { unquote } from '#query/promql/unquote.ts';

interface LoadCommand {
  readonly kind: 'load';
  readonly line: number;
  readonly series: readonly { readonly series: Series; readonly samples: readonly MemorySample[] }[];
  /** Some of what it loads are native histograms, which are left out of `series`. */
  readonly histograms: boolean;
}

/** A message that must be there: exactly, by pattern, or any. */
export interface Expectation {
  readonly message?: string;
  readonly pattern?: RegExp;
}

export interface EvalCommand {
  readonly kind: 'eval';
  readonly line: number;
  readonly expr: string;
  readonly isRange: boolean;
  startMs: number;
  endMs: number;
  stepMs: number;
  ordered: boolean;
  fail: Expectation | undefined;
  readonly warn: Expectation[];
  readonly info: Expectation[];
  noWarn: boolean;
  noInfo: boolean;
  expectString: string | undefined;
  /** An instant query whose result is a range vector, on the grid of startMs, endMs and stepMs. */
  expectMatrix: boolean;
  scalar: number | undefined;
  readonly expected: Map<string, { readonly series: Series; readonly position: number; readonly values: readonly SequenceValue[] }>;
}

export type Command = { readonly kind: 'clear'; readonly line: number } | LoadCommand | EvalCommand;

/** The commands of a promqltest script. Lines are numbered from 1. */
export function parseScript(text: string): Command[] {
  const lines = text.split('\n').map((line) => (line.trim().startsWith('#') ? '' : line.trim()));
  const commands: Command[] = [];
  for (let at = 0; at < lines.length; at++) {
    const first = lines[at] as string;
    if (first === '') continue;
    let end = at + 1;
    if (!/^clear\b/i.test(first)) while (end < lines.length && lines[end] !== '') end++;
    commands.push(parseCommand(first, lines.slice(at + 1, end), at + 1));
    at = end - 1;
  }
  return commands;
}

function parseCommand(first: string, body: readonly string[], line: number): Command {
  try {
    if (/^clear\b/i.test(first)) return { kind: 'clear', line };
    if (/^load/i.test(first)) return parseLoad(first, body, line);
    if (/^eval/i.test(first)) return parseEval(first, body, line);
  } catch (cause) {
    throw new Error(`line ${line}: ${(cause as Error).message}`, { cause });
  }
  throw new Error(`line ${line}: unknown command ${first}`);
}

function parseLoad(first: string, body: readonly string[], line: number): LoadCommand {
  const head = /^load(?:_(with_nhcb))?\s+(\S+)$/i.exec(first);
  if (!head) throw new Error(`not a load command: ${first}`);
  const stepMs = readDuration(head[2] as string);
  let histograms = head[1] !== undefined;
  let offsets: (number | undefined)[] = [];
  const loaded = new Map<string, LoadCommand['series'][number]>();
  for (const text of body) {
    const metric = /^(\S*)@st\s/.exec(text);
    if (metric) {
      readMetric(metric[1] as string);
      offsets = readStartOffsets(text.slice(metric[0].length));
      continue;
    }
    const { series, values } = readSeriesLine(text);
    if (values.some(({ kind }) => kind === 'histogram')) histograms = true;
    loaded.set(seriesKey(series), { series, samples: values.flatMap((value, i) => toSample(value, i * stepMs, offsets[i])) });
    offsets = [];
  }
  return { kind: 'load', line, series: [...loaded.values()], histograms };
}

function toSample(value: SequenceValue, ts: number, offset: number | undefined): MemorySample[] {
  const start = offset === undefined || ts + offset === 0 ? {} : { startTs: ts + offset };
  if (value.kind === 'float') return [{ ts, value: value.value, ...start }];
  return value.kind === 'stale' ? [{ ts, value: Number.NaN, stale: true, ...start }] : [];
}

function parseEval(first: string, body: readonly string[], line: number): EvalCommand {
  const instant = /^eval(?:_(fail|warn|ordered|info))?\s+instant\s+(?:at\s+(.+?))?\s+(.+)$/i.exec(first);
  const range = /^eval(?:_(fail|warn|info))?\s+range\s+from\s+(.+)\s+to\s+(.+)\s+step\s+(.+?)\s+(.+)$/i.exec(first);
  if (!instant && !range) throw new Error(`not an eval command: ${first}`);
  const mode = (instant ?? range)?.[1]?.toLowerCase();
  const startMs = readDuration((instant ?? range)?.[2] as string);
  const command: EvalCommand = {
    kind: 'eval',
    line,
    expr: (instant ? instant[3] : range?.[5]) as string,
    isRange: instant === null,
    startMs,
    endMs: range ? readDuration(range[3] as string) : startMs,
    stepMs: range ? readDuration(range[4] as string) : 0,
    ordered: mode === 'ordered',
    fail: mode === 'fail' ? {} : undefined,
    warn: mode === 'warn' ? [{}] : [],
    info: mode === 'info' ? [{}] : [],
    noWarn: false,
    noInfo: false,
    expectString: undefined,
    expectMatrix: false,
    scalar: undefined,
    expected: new Map(),
  };
  for (const text of body) readExpected(command, text);
  return command;
}

function readExpected(command: EvalCommand, text: string): void {
  const failText = /^expected_fail_(message|regexp)\s+(.*)$/.exec(text);
  if (failText)
    command.fail = failText[1] === 'message' ? { message: failText[2] as string } : { pattern: new RegExp(failText[2] as string) };
  else if (text.startsWith('expect range vector')) readExpectedGrid(command, text);
  else if (text.startsWith('expect string')) command.expectString = unquote(text.slice('expect string'.length).trim());
  else if (/^expect\s/.test(text)) readDirective(command, text);
  else if (/^[+-]?(?:Inf|NaN|0x[0-9a-f]+|[\d.]+(?:e[+-]?\d+)?)$/i.test(text)) command.scalar = readNumber(text);
  else {
    const { series, values } = readSeriesLine(text);
    command.expected.set(seriesKey(series), { series, values, position: command.expected.size });
  }
}

function readExpectedGrid(command: EvalCommand, text: string): void {
  const grid = /^expect range vector\s+from\s+(\S+)\s+to\s+(\S+)\s+step\s+(\S+)$/.exec(text);
  if (!grid) throw new Error(`not a range vector: ${text}`);
  command.expectMatrix = true;
  [command.startMs, command.endMs, command.stepMs] = [1, 2, 3].map((index) => readDuration(grid[index] as string)) as [
    number,
    number,
    number,
  ];
}

function readDirective(command: EvalCommand, text: string): void {
  const directive = /^expect\s+(ordered|fail|warn|no_warn|info|no_info)(?:\s+(regex|msg):(.+))?$/.exec(text);
  if (!directive) throw new Error(`not an expectation: ${text}`);
  const [, kind, how, what] = directive;
  const expectation: Expectation =
    how === 'msg' ? { message: (what as string).trim() } : how === 'regex' ? { pattern: new RegExp((what as string).trim()) } : {};
  if (kind === 'ordered') command.ordered = true;
  else if (kind === 'fail') command.fail = expectation;
  else if (kind === 'warn') command.warn.push(expectation);
  else if (kind === 'info') command.info.push(expectation);
  else if (kind === 'no_warn') command.noWarn = true;
  else command.noInfo = true;
}
