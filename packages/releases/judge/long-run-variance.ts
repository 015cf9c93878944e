/** How much a mean of correlated samples varies. */
export interface LongRunVariance {
  /** The variance of the mean times the number of samples; the plain variance where samples do not depend on each other. */
  readonly variance: number;
  /** Degrees of freedom of Student's t that the estimate of the variance comes to. */
  readonly dof: number;
}

/** Fewer samples than this say nothing of their correlation. */
const LEAST_SAMPLES = 12;

/** Most correlation between neighbouring batches that is believed in; past it the series wanders, and nothing can be said. */
const MOST_CORRELATION = 0.97;

/**
 * Estimates the long-run variance (the sum of all autocovariances) of a series, without knowing how it is correlated.
 *
 * Samples are put together to batches of n^(1/3)/2, in which slow correlation shows over noise. The batches are prewhitened by an
 * autoregression of order one (Andrews and Monahan, Econometrica 60, 1992), its coefficient corrected for the bias -(1 + 3 rho)/m of small
 * samples (Marriott and Pope, Biometrika 41, 1954) and never below 0; what is left is summed by Bartlett's kernel over
 * .6 m^(1/3) lags (Newey and West, Econometrica 55, 1987) and scaled for the mean that was taken out. The mean over all ways to lay the
 * batches varies less than any.
 *
 * The degrees of freedom are those of the chi-squared variable that varies as the estimate does: (2/3)(lags + 1) + 1 over m for the kernel
 * and 6 rho/(1 - rho) over m for the coefficient, with 8 batches taken off. The form is the delta method's; the numbers were fitted to the
 * spread of estimates in simulations (rho 0 to .9, n 24 to 1,440) and err towards fewer.
 */
export function longRunVariance(series: Float64Array): LongRunVariance | undefined {
  if (series.length < LEAST_SAMPLES) return undefined;
  const size = Math.max(1, Math.round(Math.cbrt(series.length) / 2));
  const ways = Array.from({ length: size }, (_, offset) => batchVariance(batchMeans(series, size, offset)));
  const variance = ways.reduce((sum, way) => sum + way.variance, 0) / size;
  const correlation = ways.reduce((sum, way) => sum + way.correlation, 0) / size;
  const { count, lags } = ways[size - 1] as BatchVariance;
  const dof = (count - 8) / ((2 / 3) * (lags + 1) + 1 + (6 * correlation) / (1 - correlation));
  return { variance: variance * size, dof };
}

interface BatchVariance {
  readonly variance: number;
  readonly correlation: number;
  readonly count: number;
  readonly lags: number;
}

function batchVariance(means: Float64Array): BatchVariance {
  const centred = centre(means);
  const count = centred.length;
  const correlation = correctedCorrelation(centred);
  const lags = Math.max(1, Math.round(0.6 * Math.cbrt(count)));
  const variance = bartlett(prewhiten(centred, correlation), lags) / (1 - lags / count) / (1 - correlation) ** 2;
  return { variance, correlation, count, lags };
}

/** Means of `size` samples each, of which the last ends `offset` samples before the end; what fills no batch is left out. */
function batchMeans(series: Float64Array, size: number, offset: number): Float64Array {
  if (size === 1) return series;
  const count = Math.floor((series.length - offset) / size);
  const first = series.length - offset - count * size;
  const means = new Float64Array(count);
  for (let i = 0; i < count; i++) {
    let sum = 0;
    for (let j = 0; j < size; j++) sum += series[first + i * size + j] as number;
    means[i] = sum / size;
  }
  return means;
}

export function meanOf(series: Float64Array): number {
  let sum = 0;
  for (const value of series) sum += value;
  return sum / series.length;
}

function centre(series: Float64Array): Float64Array {
  const mean = meanOf(series);
  const centred = new Float64Array(series.length);
  for (let i = 0; i < centred.length; i++) centred[i] = (series[i] as number) - mean;
  return centred;
}

function correctedCorrelation(centred: Float64Array): number {
  const count = centred.length;
  const own = lagProduct(centred, 0);
  if (own === 0) return 0;
  const corrected = ((count * lagProduct(centred, 1)) / own + 1) / (count - 3);
  return Math.min(MOST_CORRELATION, Math.max(0, corrected));
}

function prewhiten(centred: Float64Array, correlation: number): Float64Array {
  const residuals = new Float64Array(centred.length - 1);
  for (let i = 0; i < residuals.length; i++) residuals[i] = (centred[i + 1] as number) - correlation * (centred[i] as number);
  return residuals;
}

function bartlett(residuals: Float64Array, lags: number): number {
  let sum = lagProduct(residuals, 0);
  for (let lag = 1; lag <= lags; lag++) sum += 2 * (1 - lag / (lags + 1)) * lagProduct(residuals, lag);
  return Math.max(0, sum) / (residuals.length - 1);
}

function lagProduct(series: Float64Array, lag: number): number {
  let sum = 0;
  for (let i = lag; i < series.length; i++) sum += (series[i] as number) * (series[i - lag] as number);
  return sum;
}

const QUARTERS = 4;

/**
 * As above, and at least the variance between the series' quarters, with as few degrees of freedom as those have (after Ibragimov
 * and Mueller, JBES 28, 2010). For arms of different times, which a drift slower than the window sets apart: means of quarters show it.
 */
export function driftingVariance(series: Float64Array): LongRunVariance | undefined {
  const whole = longRunVariance(series);
  if (!whole) return undefined;
  const size = Math.floor(series.length / QUARTERS);
  const quarters = centre(batchMeans(series, size, 0));
  const between = (lagProduct(quarters, 0) / (QUARTERS - 1)) * size;
  return { variance: Math.max(whole.variance, between), dof: Math.min(whole.dof, QUARTERS - 1) };
}
