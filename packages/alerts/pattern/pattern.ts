/** An expression that holds for a label set while it gives a series of it. */
export interface Condition {
  /** What it is called in words. */
  readonly name: string;
  readonly expr: string;
}

/** A step of a sequence; `withinMs` is the longest time since the step before it, undefined for no bound. */
export interface Step extends Condition {
  readonly withinMs: number | undefined;
}

/** Conditions that begin to hold one after another, and none of `without` at any time between the first and the end of `settleMs`. */
export interface SequencePattern {
  readonly form: 'sequence';
  readonly steps: readonly Step[];
  /** Longest time from the first step to the last; undefined for no bound. */
  readonly withinMs: number | undefined;
  readonly without: readonly Condition[];
  /** How long after the last step nothing of `without` may hold. */
  readonly settleMs: number;
}

/** A condition that begins to hold, or holds at evaluations, a number of times within a window that ends now. */
export interface CountPattern {
  readonly form: 'count';
  readonly condition: Condition;
  readonly counts: 'beginnings' | 'evaluations';
  readonly times: number;
  /** Beginnings or evaluations older than this do not count. */
  readonly windowMs: number;
}

/** A condition that changes between holding and not holding. */
export interface FlappingPattern {
  readonly form: 'flapping';
  readonly condition: Condition;
  readonly changes: number;
  readonly windowMs: number;
}

/** A series that was there and no longer is. */
export interface HeartbeatPattern {
  readonly form: 'heartbeat';
  readonly condition: Condition;
  readonly missingForMs: number;
  /** How long a series has to have been there, without a gap, before it is expected. */
  readonly seenForMs: number;
  /** How long after it was missed first it is no longer expected. */
  readonly forgetAfterMs: number;
}

/** A value that moves by an amount, or by a share of where it came from, within a window that ends now. */
export interface ChangePattern {
  readonly form: 'change';
  readonly condition: Condition;
  readonly direction: 'rise' | 'fall' | 'either';
  readonly by: number;
  /** `by` is a share: 0.5 is half of the value that it came from. */
  readonly isRelative: boolean;
  readonly windowMs: number;
}

/** A value that moved once and has not moved for a time during which another condition held all along. */
export interface StuckPattern {
  readonly form: 'stuck';
  readonly condition: Condition;
  readonly forMs: number;
  readonly while: Condition | undefined;
}

/** Conditions in time; docs/alerts/patterns.md says what each means. */
export type Pattern = SequencePattern | CountPattern | FlappingPattern | HeartbeatPattern | ChangePattern | StuckPattern;

/** A detector that finds a pattern in each label set of its conditions. */
export interface PatternDetector {
  readonly kind: 'pattern';
  /** Labels by which series of its conditions belong together; undefined for all of them but the name. */
  readonly by: readonly string[] | undefined;
  readonly pattern: Pattern;
}

/** The conditions of a pattern, in the order in which it wants their values. */
export function conditionsOf(pattern: Pattern): readonly Condition[] {
  if (pattern.form === 'sequence') return [...pattern.steps, ...pattern.without];
  if (pattern.form === 'stuck') return pattern.while ? [pattern.condition, pattern.while] : [pattern.condition];
  return [pattern.condition];
}
