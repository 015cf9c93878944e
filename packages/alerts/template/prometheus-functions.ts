import { quoteGo } from '#alerts/go-quote.ts';
import { parseDuration } from '#core/duration.ts';
import { OpsError } from '#core/errors.ts';
import { compareUtf8 } from '#core/text.ts';
import { escapeQuery } from './escapes.ts';
import { createDuration } from './go-duration.ts';
import { formatFloat } from './go-float.ts';
import { formatValue } from './go-format.ts';
import {
  type CallContext,
  createAnyMap,
  createList,
  createStringMap,
  type FunctionTable,
  type GoList,
  type GoMap,
  type GoPointer,
  type GoStruct,
  type GoType,
  indirect,
  type QueryRow,
  stringMapType,
  type Value,
} from './go-values.ts';
import { stripDomain, stripPort } from './host-port.ts';
import { humanize, humanize1024, humanizeDuration, numeric, toFloat, toTime } from './humanize.ts';
import { textFunction, textFunctions, toTitle } from './text-functions.ts';

const sampleType: GoType = { name: 'template.sample' };
const resultType: GoType = { name: 'template.queryResult', underlying: '[]*template.sample' };

function createSample({ labels, value }: QueryRow): GoPointer {
  return {
    kind: 'pointer',
    to: { kind: 'struct', type: sampleType, fields: { Labels: createStringMap(stringMapType, labels), Value: value } },
  };
}

function readSample(value: Value): GoStruct {
  const sample = indirect(value);
  if (sample === null || sample === undefined)
    throw new OpsError('input', 'runtime error: invalid memory address or nil pointer dereference');
  return sample as GoStruct;
}

function readLabel(sample: Value, name: string): string {
  return ((readSample(sample).fields.Labels as GoMap).entries.get(name) ?? '') as string;
}

function first([result]: readonly Value[]): Value {
  const [row] = (result as GoList).items;
  if (row === undefined) throw new OpsError('input', 'first() called on vector with no elements');
  return row;
}

function sortByLabel([name, result]: readonly Value[]): Value {
  const items = [...(result as GoList).items];
  return createList(
    resultType,
    items.sort((a, b) => compareUtf8(readLabel(a, name as string), readLabel(b, name as string))),
  );
}

function durationSeconds(text: string): number {
  const ms = parseDuration(text.replace(/^-/, ''));
  if (text === '' || text === '-') throw new OpsError('input', 'empty duration string');
  if (ms === undefined) throw new OpsError('input', `not a valid duration string: ${quoteGo(text)}`);
  return (text.startsWith('-') ? -ms : ms) / 1_000;
}

function humanizeTimestamp([value]: readonly Value[], context: CallContext): Value {
  const seconds = toFloat(value);
  return Number.isFinite(seconds) ? formatValue(toTime(seconds), context.charge) : formatFloat(seconds, 'g', 4);
}

function pathOf(url: string): string {
  return URL.canParse(url) ? new URL(url).pathname.replace(/^\/$/, url.endsWith('/') ? '/' : '') : '';
}

/** The functions of Prometheus' rule templates, as of version 3.14. */
export const prometheusFunctions: FunctionTable = {
  ...textFunctions,
  query: { params: ['string'], call: ([text], { query }) => createList(resultType, query(text as string).map(createSample)) },
  first: { params: ['template.queryResult'], call: first },
  label: { params: ['string', '*template.sample'], call: ([name, sample]) => readLabel(sample, name as string) },
  value: { params: ['*template.sample'], call: ([sample]) => readSample(sample).fields.Value },
  strvalue: { params: ['*template.sample'], call: ([sample]) => readLabel(sample, '__value__') },
  sortByLabel: { params: ['string', 'template.queryResult'], call: sortByLabel },
  args: { params: [], variadic: 'any', call: (args) => createAnyMap(new Map(args.map((arg, i) => [`arg${i}`, arg]))) },
  title: textFunction((text) => toTitle(text, false)),
  graphLink: textFunction((text) => `/graph?g0.expr=${escapeQuery(text)}&g0.tab=0`),
  tableLink: textFunction((text) => `/graph?g0.expr=${escapeQuery(text)}&g0.tab=1`),
  stripPort: textFunction(stripPort),
  stripDomain: textFunction(stripDomain),
  humanize: numeric(humanize),
  humanize1024: numeric(humanize1024),
  humanizeDuration: numeric(humanizeDuration),
  humanizePercentage: numeric((value) => `${formatFloat(value * 100, 'g', 4)}%`),
  humanizeTimestamp: { params: ['any'], call: humanizeTimestamp },
  toTime: { params: ['any'], call: ([value]) => ({ kind: 'pointer', to: toTime(toFloat(value)) }) },
  toDuration: { params: ['any'], call: ([value]) => ({ kind: 'pointer', to: durationOf(toFloat(value)) }) },
  now: { params: [], call: (_args, { nowMs }) => nowMs / 1_000 },
  pathPrefix: { params: [], call: (_args, { externalUrl }) => pathOf(externalUrl) },
  externalURL: { params: [], call: (_args, { externalUrl }) => externalUrl },
  parseDuration: textFunction(durationSeconds),
  urlQueryEscape: textFunction(escapeQuery),
};

function durationOf(seconds: number): ReturnType<typeof createDuration> {
  const ns = seconds * 1e9;
  return createDuration(Number.isNaN(ns) ? 0n : BigInt(Math.trunc(Math.max(-(2 ** 63), Math.min(2 ** 63, ns)))));
}
