import { type Series, seriesKey } from '#model/series.ts';
import type { Destination, Effect, SeriesRule, ValueCheck } from './effect.ts';

/** How a list of rules ends for samples of a series. */
export interface Leaf {
  readonly kind: 'leaf';
  /** The series they belong to now; undefined: they go no further, and `end` says why. */
  readonly series: Series | undefined;
  readonly key: string;
  readonly to: Destination | undefined;
  /** Places of the rules that had an effect. */
  readonly touched: readonly number[];
  readonly end: { readonly rule: number; readonly kind: 'dropped' | 'rejected'; readonly message: string } | undefined;
  /** For samples that a value check rejected. */
  readonly failed: ValueCheck | undefined;
}

/** A value check: which way a sample goes depends on its value. */
export interface Branch {
  readonly kind: 'branch';
  readonly check: ValueCheck;
  pass(): TraceNode;
  fail(): TraceNode;
}

export type TraceNode = Leaf | Branch;

interface Path {
  readonly series: Series;
  readonly to: Destination | undefined;
  readonly touched: readonly number[];
}

/** Rules with the place of each in the whole list. */
export interface NumberedRule {
  readonly place: number;
  readonly apply: SeriesRule;
}

/** What the rules make of a series; computed once per series object, each side of a branch when a sample first takes it. */
export function traceSeries(rules: readonly NumberedRule[], series: Series): TraceNode {
  return trace(rules, 0, { series, to: undefined, touched: [] });
}

function trace(rules: readonly NumberedRule[], from: number, start: Path): TraceNode {
  let path = start;
  for (let i = from; i < rules.length; i++) {
    const { place, apply } = rules[i] as NumberedRule;
    const effect = apply(path.series);
    if (!effect) continue;
    if (effect.kind === 'check') return branch(effect.check, place, path, (next) => trace(rules, i + 1, next));
    path = { ...path, touched: [...path.touched, place] };
    if (effect.kind === 'drop' || effect.kind === 'reject') return endLeaf(path, place, effect);
    if (effect.kind === 'change') path = { ...path, series: effect.series };
    if (effect.kind === 'route') path = { ...path, to: { ...path.to, ...given(effect.to) } };
  }
  return { kind: 'leaf', ...path, key: seriesKey(path.series), end: undefined, failed: undefined };
}

function given({ tenant, retentionClass }: Destination): Destination {
  return { ...(tenant === undefined ? {} : { tenant }), ...(retentionClass === undefined ? {} : { retentionClass }) };
}

function endLeaf(path: Path, place: number, effect: Extract<Effect, { kind: 'drop' | 'reject' }>): Leaf {
  const end = effect.kind === 'drop' ? { kind: 'dropped' as const, message: '' } : { kind: 'rejected' as const, message: effect.message };
  return { kind: 'leaf', series: undefined, key: '', to: path.to, touched: path.touched, end: { rule: place, ...end }, failed: undefined };
}

function branch(check: ValueCheck, place: number, path: Path, follow: (path: Path) => TraceNode): Branch {
  let pass: TraceNode | undefined;
  let fail: TraceNode | undefined;
  const touched = [...path.touched, place];
  const reject = (): Leaf => ({ ...endLeaf({ ...path, touched }, place, { kind: 'reject', message: '' }), failed: check });
  return {
    kind: 'branch',
    check,
    pass: () => (pass ??= follow(path)),
    fail: () => (fail ??= check.onFail ? follow({ ...path, touched, series: check.onFail }) : reject()),
  };
}
