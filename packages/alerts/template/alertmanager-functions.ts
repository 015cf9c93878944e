import { OpsError } from '#core/errors.ts';
import { createDuration } from './go-duration.ts';
import { formatJson } from './go-json.ts';
import { createTime, createTimeOfMs, formatTime, type GoTime, zeroTime } from './go-time.ts';
import { parseLayout } from './go-time-parse.ts';
import {
  anyListType,
  type CallContext,
  createAnyMap,
  createList,
  type FunctionTable,
  type GoList,
  type GoMap,
  type GoStruct,
  stringListType,
  type Value,
} from './go-values.ts';
import { humanizeDuration, numeric } from './humanize.ts';
import { joinTexts, markFunction, textFunction, textFunctions, toTitle, urlType } from './text-functions.ts';
import { findZone } from './time-zone.ts';

function unescapeQuery(text: string): string {
  const bad = /%(?![0-9A-Fa-f]{2}).{0,2}/s.exec(text);
  if (bad) throw new OpsError('input', `invalid URL escape ${JSON.stringify(bad[0])}`);
  const bytes = text.replaceAll('+', ' ').replace(/(?:%[0-9A-Fa-f]{2})+/g, (run) => Buffer.from(run.replaceAll('%', ''), 'hex').toString());
  return bytes;
}

function decodeBase64(text: string): string {
  const plain = text.replace(/[\r\n]/g, '');
  const good = /^[A-Za-z0-9_-]*={0,2}$/.test(plain) && plain.length % 4 === 0;
  if (!good) {
    const at = /[^A-Za-z0-9_-]/.exec(plain)?.index ?? plain.length;
    throw new OpsError('input', `illegal base64 data at input byte ${at}`);
  }
  return Buffer.from(plain, 'base64url').toString();
}

function inZone([name, time]: readonly Value[]): Value {
  const zone = findZone(name as string);
  if (!zone) throw new OpsError('input', `unknown time zone ${name}`);
  return createTime((time as GoTime).ns, zone);
}

function dict(values: readonly Value[], { charge }: CallContext): Value {
  charge(values.length);
  if (values.length % 2 !== 0) throw new OpsError('input', 'dict requires an even number of arguments');
  const entries = new Map<string, Value>();
  for (let i = 0; i < values.length; i += 2) {
    const key = values[i];
    if (typeof key !== 'string') throw new OpsError('input', 'dict keys must be strings');
    entries.set(key, values[i + 1]);
  }
  return createAnyMap(entries);
}

function append([list, ...more]: readonly Value[], { charge }: CallContext): Value {
  const { items } = list as GoList;
  charge(1 + Math.ceil(items.length / 8));
  return createList(anyListType, [...items, ...more]);
}

function toDate([layout, text]: readonly Value[]): Value {
  try {
    return parseLayout(layout as string, text as string);
  } catch (error) {
    if (error instanceof OpsError) return zeroTime();
    throw error;
  }
}

/** A route's label by name, rendered on the notification's data; '' where there is none. */
function routeLabel([name]: readonly Value[], context: CallContext): Value {
  const labels = (context.data as GoStruct | undefined)?.fields?.RouteLabels as GoMap | undefined;
  const text = (labels?.entries.get(name as string) ?? '') as string;
  return text.includes('{{') ? context.render(text, name as string) : text;
}

/** The functions of Alertmanager's notification templates, as of version 0.34. */
export const alertmanagerFunctions: FunctionTable = {
  ...textFunctions,
  title: textFunction((text) => toTitle(text, true)),
  trimSpace: textFunction((text) => text.trim()),
  join: { params: ['string', '[]string'], call: joinTexts },
  safeUrl: markFunction(urlType),
  urlUnescape: textFunction(unescapeQuery),
  stringSlice: { params: [], variadic: 'string', call: (args) => createList(stringListType, args) },
  routeLabels: { params: ['string'], call: routeLabel },
  date: { params: ['string', 'time.Time'], call: ([layout, time]) => formatTime(time as GoTime, layout as string) },
  tz: { params: ['string', 'time.Time'], call: inZone },
  now: { params: [], call: (_args, { nowMs }) => createTimeOfMs(nowMs) },
  since: { params: ['time.Time'], call: ([time], { nowMs }) => createDuration(createTimeOfMs(nowMs).ns - (time as GoTime).ns) },
  humanizeDuration: numeric(humanizeDuration),
  toDate: { params: ['string', 'string'], call: toDate },
  mustToDate: { params: ['string', 'string'], call: ([layout, text]) => parseLayout(layout as string, text as string) },
  toJson: { params: ['any'], call: ([value], { charge }) => formatJson(value, charge) },
  base64encode: textFunction((text) => Buffer.from(text).toString('base64').replaceAll('+', '-').replaceAll('/', '_')),
  base64decode: textFunction(decodeBase64),
  list: { params: [], variadic: 'any', call: (args) => createList(anyListType, args) },
  append: { params: ['[]interface {}'], variadic: 'any', call: append },
  dict: { params: [], variadic: 'any', call: dict },
};
