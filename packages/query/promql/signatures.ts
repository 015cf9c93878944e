import type { ValueType } from './ast.ts';

/** What a function takes and gives. */
export interface Signature {
  readonly args: readonly ValueType[];
  /** How many arguments may be given beyond all but the last of `args`: 0 means exactly `args`, -1 any number. */
  readonly variadic: number;
  readonly returns: ValueType;
  readonly experimental: boolean;
}

type Row = readonly [names: string, args: string, variadic: number, returns: ValueType, experimental?: 'experimental'];

const ROWS: readonly Row[] = [
  ['pi time', '', 0, 'scalar'],
  [
    'absent_over_time avg_over_time changes count_over_time delta deriv first_over_time idelta increase irate last_over_time max_over_time min_over_time present_over_time rate resets stddev_over_time stdvar_over_time sum_over_time',
    'matrix',
    0,
    'vector',
  ],
  ['predict_linear', 'matrix scalar', 0, 'vector'],
  ['vector', 'scalar', 0, 'vector'],
  ['quantile_over_time', 'scalar matrix', 0, 'vector'],
  ['histogram_fraction', 'scalar scalar vector', 0, 'vector'],
  ['histogram_quantile', 'scalar vector', 0, 'vector'],
  [
    'abs absent acos acosh asin asinh atan atanh ceil cos cosh deg exp floor histogram_avg histogram_count histogram_stddev histogram_stdvar histogram_sum ln log10 log2 rad sgn sin sinh sort sort_desc sqrt tan tanh timestamp',
    'vector',
    0,
    'vector',
  ],
  ['scalar', 'vector', 0, 'scalar'],
  ['day_of_month day_of_week day_of_year days_in_month hour minute month year', 'vector', 1, 'vector'],
  ['clamp_max clamp_min', 'vector scalar', 0, 'vector'],
  ['round', 'vector scalar', 1, 'vector'],
  ['clamp', 'vector scalar scalar', 0, 'vector'],
  ['label_join', 'vector string string string', -1, 'vector'],
  ['label_replace', 'vector string string string string', 0, 'vector'],
  ['end range start step', '', 0, 'scalar', 'experimental'],
  [
    'mad_over_time ts_of_first_over_time ts_of_last_over_time ts_of_max_over_time ts_of_min_over_time',
    'matrix',
    0,
    'vector',
    'experimental',
  ],
  ['double_exponential_smoothing', 'matrix scalar scalar', 0, 'vector', 'experimental'],
  ['max_of min_of', 'scalar scalar', 0, 'scalar', 'experimental'],
  ['start_timestamp', 'vector', 0, 'vector', 'experimental'],
  ['sort_by_label sort_by_label_desc', 'vector string', -1, 'vector', 'experimental'],
  ['histogram_quantiles', 'vector string scalar scalar', 9, 'vector', 'experimental'],
  ['info', 'vector vector', 1, 'vector', 'experimental'],
];

/** Every function of PromQL by its name, experimental ones included. */
export const SIGNATURES: ReadonlyMap<string, Signature> = new Map(
  ROWS.flatMap(([names, args, variadic, returns, experimental]) => {
    const signature = { args: args.split(' ').filter(Boolean) as ValueType[], variadic, returns, experimental: experimental !== undefined };
    return names.split(' ').map((name) => [name, signature] as const);
  }),
);
