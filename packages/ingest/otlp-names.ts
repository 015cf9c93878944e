/**
 * OTLP names as Prometheus 3 writes them (its default, `UnderscoreEscapingWithSuffixes`): units and types become suffixes, whatever
 * Prometheus' classic names do not allow becomes an underscore.
 */

/** What a metric is, as far as its name is concerned. */
export type OtlpNameKind = 'gauge' | 'monotonic-sum' | 'other';

const units: ReadonlyMap<string, string> = new Map([
  ['d', 'days'],
  ['h', 'hours'],
  ['min', 'minutes'],
  ['s', 'seconds'],
  ['ms', 'milliseconds'],
  ['us', 'microseconds'],
  ['ns', 'nanoseconds'],
  ['By', 'bytes'],
  ['KiBy', 'kibibytes'],
  ['MiBy', 'mebibytes'],
  ['GiBy', 'gibibytes'],
  ['TiBy', 'tibibytes'],
  ['KBy', 'kilobytes'],
  ['MBy', 'megabytes'],
  ['GBy', 'gigabytes'],
  ['TBy', 'terabytes'],
  ['m', 'meters'],
  ['V', 'volts'],
  ['A', 'amperes'],
  ['J', 'joules'],
  ['W', 'watts'],
  ['g', 'grams'],
  ['Cel', 'celsius'],
  ['Hz', 'hertz'],
  ['1', ''],
  ['%', 'percent'],
]);

const perUnits: ReadonlyMap<string, string> = new Map([
  ['s', 'second'],
  ['m', 'minute'],
  ['h', 'hour'],
  ['d', 'day'],
  ['w', 'week'],
  ['mo', 'month'],
  ['y', 'year'],
]);

/** `http.server.duration` in `s` is `http_server_duration_seconds`. Empty where nothing of the name can stay. */
export function translateMetricName(name: string, unit: string, kind: OtlpNameKind): string {
  let tokens = name.split(/[^a-zA-Z0-9:]+/).filter((token) => token !== '');
  if (tokens.length === 0) return '';
  const { main, per } = unitSuffixes(unit);
  if (main !== '' && !tokens.includes(main)) tokens.push(main);
  if (per !== '' && !tokens.includes(per)) tokens.push(per);
  if (kind === 'monotonic-sum') tokens = [...tokens.filter((token) => token !== 'total'), 'total'];
  if (kind === 'gauge' && unit === '1') tokens = [...tokens.filter((token) => token !== 'ratio'), 'ratio'];
  const joined = tokens.join('_');
  return /^[0-9]/.test(joined) ? `_${joined}` : joined;
}

/** `By/s` is `bytes_per_second`; empty for units that say nothing, such as `1` and `{requests}`. */
export function translateUnit(unit: string): string {
  const { main, per } = unitSuffixes(unit);
  return main !== '' && per !== '' ? `${main}_${per}` : main || per;
}

/** `http.method` is `http_method`; a digit at the start gets `key_` before it, a single underscore `key`. */
export function translateLabelName(name: string): string {
  const clean = name.replace(/[^a-zA-Z0-9_]/gu, '_');
  if (/^[0-9]/.test(clean)) return `key_${clean}`;
  return /^_(?!_)/.test(clean) ? `key${clean}` : clean;
}

/** A bucket's bound or a quantile: the shortest decimal that reads back the same, never with an exponent. */
export function formatBound(bound: number): string {
  if (Number.isNaN(bound)) return 'NaN';
  if (!Number.isFinite(bound)) return bound > 0 ? '+Inf' : '-Inf';
  const text = Object.is(bound, -0) ? '-0' : String(bound);
  const match = /^(-?)(\d+)(?:\.(\d+))?e([+-]\d+)$/.exec(text);
  if (!match) return text;
  const [, sign = '', whole = '', fraction = '', exponent] = match;
  const shift = Number(exponent);
  const digits = whole + fraction;
  const point = whole.length + shift;
  if (point <= 0) return `${sign}0.${'0'.repeat(-point)}${digits}`;
  return point >= digits.length ? sign + digits.padEnd(point, '0') : `${sign}${digits.slice(0, point)}.${digits.slice(point)}`;
}

function unitSuffixes(unit: string): { main: string; per: string } {
  const slash = unit.indexOf('/');
  const main = knownUnit(slash < 0 ? unit : unit.slice(0, slash), units);
  const per = slash < 0 ? '' : knownUnit(unit.slice(slash + 1), perUnits);
  return { main, per: per === '' ? '' : `per_${per}` };
}

function knownUnit(unit: string, table: ReadonlyMap<string, string>): string {
  const trimmed = unit.trim();
  if (/[{}]/.test(trimmed)) return '';
  const known = table.get(trimmed) ?? trimmed;
  return known.replace(/[^a-zA-Z0-9:]+/g, '_').replace(/^_+|_+$/g, '');
}
