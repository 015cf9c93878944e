import { compileAnchored, expandTemplate, type Re2 } from '#core/re2.ts';
import { executionError } from '#query/query-errors.ts';
import type { Frame } from './frame.ts';
import { labelValue, withLabel } from './labels.ts';
import { mergeSameLabels } from './merge.ts';
import type { Pace } from './pace.ts';

export interface LabelReplacement {
  readonly target: string;
  readonly replacement: string;
  readonly source: string;
  readonly pattern: string;
}

/** label_replace(): sets a label from the submatches of another; series whose label does not match stay as they are. */
export async function replaceLabels(pace: Pace, frame: Frame, { target, replacement, source, pattern }: LabelReplacement): Promise<Frame> {
  const regex = compilePattern(pattern);
  checkLabelName(target, 'invalid destination label name in label_replace()');
  const results = new Map<string, string | undefined>();
  for (let r = 0; r < frame.series.length; r++) {
    const series = frame.series[r] as Frame['series'][number];
    const value = labelValue(series, source);
    if (!results.has(value)) results.set(value, replaceValue(regex, replacement, value));
    const result = results.get(value);
    if (result === undefined) continue;
    pace.hold(result.length >> 3);
    frame.series[r] = withLabel(series, target, result);
    if (target === '__name__') frame.dropName[r] = false;
    if (pace.isTurnDue(labelWork)) await pace.yieldTurn();
  }
  return mergeSameLabels(frame);
}

/** What setting a label costs, in samples touched. */
const labelWork = 1_000;

function compilePattern(pattern: string): Re2 {
  try {
    return compileAnchored(pattern);
  } catch {
    throw executionError(`invalid regular expression in label_replace(): ${pattern}`);
  }
}

function replaceValue(regex: Re2, replacement: string, value: string): string | undefined {
  const match = regex.match(value);
  if (match === undefined) return undefined;
  checkLength('label_replace()', replacement.length + (replacement.split('$').length - 1) * value.length);
  return expandTemplate(replacement, match);
}

/** Longest value that a label may be given; stored ones are at most half as long. */
const maxValueLength = 16_384;

function checkLength(where: string, length: number): void {
  if (length > maxValueLength) throw executionError(`${where} would make a label value of more than ${maxValueLength} characters`);
}

/** label_join(): sets a label to the values of others, joined. */
export async function joinLabels(pace: Pace, frame: Frame, target: string, separator: string, sources: readonly string[]): Promise<Frame> {
  for (const source of sources) checkLabelName(source, 'invalid source label name in label_join()');
  checkLabelName(target, 'invalid destination label name in label_join()');
  for (let r = 0; r < frame.series.length; r++) {
    const series = frame.series[r] as Frame['series'][number];
    const values = sources.map((source) => labelValue(series, source));
    checkLength(
      'label_join()',
      values.reduce((length, value) => length + value.length + separator.length, 0),
    );
    const joined = values.join(separator);
    pace.hold(joined.length >> 3);
    frame.series[r] = withLabel(series, target, joined);
    if (target === '__name__') frame.dropName[r] = false;
    if (pace.isTurnDue(labelWork)) await pace.yieldTurn();
  }
  return mergeSameLabels(frame);
}

/** Any text is a label's name but the empty one and one that is no valid Unicode. */
export function isLabelName(name: string): boolean {
  return name !== '' && name.isWellFormed();
}

function checkLabelName(name: string, message: string): void {
  if (!isLabelName(name)) throw executionError(`${message}: ${name}`);
}
