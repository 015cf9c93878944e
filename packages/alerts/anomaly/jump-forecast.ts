import type { DetectorParameters } from './parameters.ts';
import { type Recent, recentAt } from './recent.ts';

/** What the next sample may be, by three rules, and how far each was off. */
export interface JumpForecast {
  /** Exponentially weighted mean; NaN before the first sample. */
  level: number;
  levelError: number;
  lastError: number;
  lineError: number;
  count: number;
}

export function createJumpForecast(): JumpForecast {
  return { level: Number.NaN, levelError: 0, lastError: 0, lineError: 0, count: 0 };
}

/**
 * The next value: the short-term level, or the last value, or the straight line through the last two, where one of these is much
 * better. NaN before there are three samples. `recent` is without the sample that is to be forecast.
 */
export function forecastNext(forecast: JumpForecast, recent: Recent, { betterShare }: DetectorParameters): number {
  if (recent.count < 3) return Number.NaN;
  const { level, levelError, lastError, lineError } = forecast;
  if (Math.min(lastError, lineError) >= betterShare * levelError) return level;
  const last = recentAt(recent, 0);
  return lineError < lastError ? 2 * last - recentAt(recent, 1) : last;
}

/** Takes in a sample, which `recent` does not have yet. */
export function learnJump(forecast: JumpForecast, recent: Recent, value: number, parameters: DetectorParameters): void {
  if (Number.isNaN(forecast.level)) forecast.level = value;
  const last = recent.count > 0 ? recentAt(recent, 0) : value;
  const line = recent.count > 1 ? 2 * last - recentAt(recent, 1) : last;
  forecast.count++;
  const share = 1 / Math.min(forecast.count, parameters.errorSamples);
  forecast.levelError += (Math.abs(value - forecast.level) - forecast.levelError) * share;
  forecast.lastError += (Math.abs(value - last) - forecast.lastError) * share;
  forecast.lineError += (Math.abs(value - line) - forecast.lineError) * share;
  forecast.level += (value - forecast.level) * parameters.jumpRate;
}
