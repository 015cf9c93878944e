import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import type { DetectorMemory } from '#alerts/detectors/detector.ts';
import { OpsError } from '#core/errors.ts';
import type { LabelSet } from '#model/alert.ts';
import { type Label, type Series, seriesFromJson } from '#model/series.ts';
import { labelSet } from './rule-result.ts';
import { type ActiveAlert, type AlertPhase, flatLabelsJson, type RuleState, toLabels } from './rule-state.ts';

/** Version of the form; another one is refused. */
const VERSION = 1;
/** Most bytes that a state may have when unpacked. */
const MAX_BYTES = 512 * 1024 * 1024;
const LEVEL = 3;

/** Ends the JSON where bytes follow; JSON on one line has none. */
const LINE_FEED = 10;

/**
 * Packs the states of a group's rules: JSON in columns, so that what alerts have in common lies side by side; behind it a line feed and the
 * bytes that detectors keep, where there are any, one after another; and zstd over it.
 */
export function encodeRuleState(states: readonly RuleState[]): Uint8Array {
  const json = JSON.stringify({ v: VERSION, rules: states.map(packRule) });
  const bytes = states.flatMap(({ memory }) => memory?.packed?.states ?? []);
  const packed = bytes.length === 0 ? json : Buffer.concat([Buffer.from(json), Buffer.of(LINE_FEED), ...bytes]);
  return zstdCompressSync(packed, {
    params: { [constants.ZSTD_c_compressionLevel]: LEVEL, [constants.ZSTD_c_checksumFlag]: 1 },
  });
}

/** The states that `encodeRuleState` packed, in order. `unavailable` for bytes that it did not write. */
export function decodeRuleState(bytes: Uint8Array): RuleState[] {
  let packed: { readonly v: number; readonly rules: readonly PackedRule[] };
  let rest: Uint8Array = new Uint8Array(0);
  try {
    const unpacked = zstdDecompressSync(bytes, { maxOutputLength: MAX_BYTES });
    const end = unpacked.indexOf(LINE_FEED);
    packed = JSON.parse(unpacked.toString('utf8', 0, end < 0 ? undefined : end));
    if (end >= 0) rest = new Uint8Array(unpacked.buffer, unpacked.byteOffset + end + 1, unpacked.length - end - 1);
  } catch (cause) {
    throw new OpsError('unavailable', 'the state of a rule group is damaged', { cause });
  }
  if (packed.v !== VERSION) throw new OpsError('unavailable', `the state of a rule group has version ${packed.v}, not ${VERSION}`);
  const takeBytes = makeTaker(rest);
  return packed.rules.map((rule) => unpackRule(rule, takeBytes));
}

/** Takes pieces of given lengths, one after another. They are parts of the whole, not copies. */
function makeTaker(bytes: Uint8Array): (lengths: readonly number[]) => Uint8Array[] {
  let at = 0;
  return (lengths) =>
    lengths.map((length) => {
      at += length;
      if (at > bytes.length) throw new OpsError('unavailable', 'the state of a rule group is cut short');
      return bytes.subarray(at - length, at);
    });
}

interface PackedRule {
  readonly kind: RuleState['kind'];
  readonly name: string;
  readonly labels: LabelSet;
  readonly error: string;
  /** Metrics of `series` and their labels as JSON. */
  readonly series: { readonly metrics: readonly string[]; readonly json: readonly string[] };
  readonly alerts: PackedAlerts;
  readonly memory?: PackedMemory | undefined;
}

/** `lengths` of the bytes of its rows. */
interface PackedMemory extends Omit<DetectorMemory, 'packed'> {
  readonly packed?: { readonly atMs: number; readonly lengths: readonly number[] } | undefined;
}

interface PackedAlerts {
  readonly labels: Table;
  readonly annotations: Table;
  /** One letter an alert. */
  readonly phases: string;
  readonly activeAt: readonly number[];
  readonly firedAt: readonly (number | null)[];
  readonly resolvedAt: readonly (number | null)[];
  readonly keepFiringSince: readonly (number | null)[];
  readonly values: readonly (number | string)[];
}

const LETTERS: Readonly<Record<AlertPhase, string>> = { pending: 'p', firing: 'f', inactive: 'i' };
const PHASES: Readonly<Record<string, AlertPhase>> = { p: 'pending', f: 'firing', i: 'inactive' };

function packRule({ kind, name, labels, error, series, alerts, memory }: RuleState): PackedRule {
  return {
    kind,
    name,
    labels,
    error,
    series: { metrics: series.map(({ metric }) => metric), json: series.map(({ json }) => json) },
    alerts: {
      labels: packTable(alerts.map((alert) => alert.labels.labels)),
      annotations: packTable(alerts.map(({ annotations }) => toLabels(annotations))),
      phases: alerts.map(({ phase }) => LETTERS[phase]).join(''),
      activeAt: alerts.map(({ activeAtMs }) => activeAtMs),
      firedAt: alerts.map(({ firedAtMs }) => firedAtMs ?? null),
      resolvedAt: alerts.map(({ resolvedAtMs }) => resolvedAtMs ?? null),
      keepFiringSince: alerts.map(({ keepFiringSinceMs }) => keepFiringSinceMs ?? null),
      values: alerts.map(({ value }) => packNumber(value)),
    },
    memory: memory && packMemory(memory),
  };
}

function packMemory({ packed, ...memory }: DetectorMemory): PackedMemory {
  return packed ? { ...memory, packed: { atMs: packed.atMs, lengths: packed.states.map(({ length }) => length) } } : memory;
}

function unpackRule(
  { kind, name, labels, error, series, alerts, memory }: PackedRule,
  takeBytes: (lengths: readonly number[]) => Uint8Array[],
): RuleState {
  const labelLists = unpackTable(alerts.labels);
  const annotations = unpackTable(alerts.annotations);
  return {
    kind,
    name,
    labels,
    error,
    series: series.json.map((json, i): Series => seriesFromJson(series.metrics[i] as string, json)),
    alerts: labelLists.map(
      (list, i): ActiveAlert => ({
        labels: { metric: '', labels: list, json: flatLabelsJson(list) },
        annotations: labelSet(annotations[i] as Label[]),
        phase: PHASES[alerts.phases[i] as string] as AlertPhase,
        activeAtMs: alerts.activeAt[i] as number,
        firedAtMs: alerts.firedAt[i] ?? undefined,
        resolvedAtMs: alerts.resolvedAt[i] ?? undefined,
        keepFiringSinceMs: alerts.keepFiringSince[i] ?? undefined,
        value: Number(alerts.values[i]),
      }),
    ),
    ...(memory && { memory: unpackMemory(memory, takeBytes) }),
  };
}

function unpackMemory({ packed, ...memory }: PackedMemory, takeBytes: (lengths: readonly number[]) => Uint8Array[]): DetectorMemory {
  return packed ? { ...memory, packed: { atMs: packed.atMs, states: takeBytes(packed.lengths) } } : memory;
}

/** NaN, the infinities and minus zero have no form in JSON. */
function packNumber(value: number): number | string {
  return Number.isFinite(value) && !Object.is(value, -0) ? value : Object.is(value, -0) ? '-0' : String(value);
}

/** Lists of labels in columns: the lists of names that occur, which of them each row has, and for each of them the values by name. */
interface Table {
  readonly names: readonly (readonly string[])[];
  readonly shapes: readonly number[];
  readonly columns: readonly (readonly (readonly string[])[])[];
}

function packTable(lists: readonly (readonly Label[])[]): Table {
  const known = new Map<string, number>();
  const names: string[][] = [];
  const columns: string[][][] = [];
  const shapes = lists.map((list) => {
    const own = list.map(({ name }) => name);
    const key = JSON.stringify(own);
    let shape = known.get(key);
    if (shape === undefined) {
      shape = names.length;
      known.set(key, shape);
      names.push(own);
      columns.push(own.map(() => []));
    }
    for (const [i, { value }] of list.entries()) columns[shape]?.[i]?.push(value);
    return shape;
  });
  return { names, shapes, columns };
}

/** A label that is as in the row before is the same object. */
function unpackTable({ names, shapes, columns }: Table): Label[][] {
  const rows = names.map(() => 0);
  const before = names.map((own) => own.map((name): Label => ({ name, value: '' })));
  return shapes.map((shape) => {
    const row = rows[shape] as number;
    rows[shape] = row + 1;
    const list = (before[shape] as Label[]).map((label, i): Label => {
      const value = columns[shape]?.[i]?.[row] as string;
      return label.value === value ? label : { name: label.name, value };
    });
    before[shape] = list;
    return list;
  });
}
