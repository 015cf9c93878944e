/**
 * The functions that have a meaning on aggregate rows instead of samples, '' being a plain selector. Storage may answer a
 * selector from the warm or cold tier only where the function around it is one of these (or no raw data is left).
 */
export const aggregateFunctions: ReadonlySet<string> = new Set([
  '',
  'rate',
  'increase',
  'sum_over_time',
  'avg_over_time',
  'min_over_time',
  'max_over_time',
  'count_over_time',
  'first_over_time',
  'last_over_time',
  'present_over_time',
  'absent_over_time',
]);
