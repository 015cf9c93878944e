import * as z from 'zod';
import type { Json } from '#model/json.ts';
import type { FlagDefinition, Metadata } from './flag-definition.ts';
import { compileTargeting, type Evaluators } from './logic/compile-targeting.ts';
import type { Run } from './logic/compiled.ts';

/** A flag that was turned off for everybody. */
export const Kill = z.object({
  at: z.string(),
  by: z.string(),
  reason: z.string(),
  /** What everybody gets; the code's own default if none is said. */
  variant: z.string().optional(),
});
export type Kill = z.infer<typeof Kill>;

/** A share that begins at a time, in milliseconds. */
interface CompiledStep {
  readonly fromMs: number;
  readonly untilMs: number;
  readonly percentage: number;
}

/** A rollout ready to be evaluated. */
export interface CompiledRollout {
  readonly variant: string;
  readonly percentage: number;
  readonly steps: readonly CompiledStep[];
  readonly by: readonly string[] | undefined;
  readonly salt: string;
}

/** A flag ready to be evaluated. */
export interface CompiledFlag {
  readonly key: string;
  readonly isEnabled: boolean;
  readonly variants: ReadonlyMap<string, Json>;
  readonly defaultVariant: string | undefined;
  readonly targeting: Run | undefined;
  readonly rollout: CompiledRollout | undefined;
  readonly activeFromMs: number;
  readonly activeUntilMs: number;
  readonly kill: Kill | undefined;
  /** The set's, and over them the flag's own. */
  readonly metadata: Metadata | undefined;
}

/** What a flag has around it. */
export interface FlagSurroundings {
  readonly evaluators?: Evaluators | undefined;
  readonly metadata?: Metadata | undefined;
  readonly kill?: Kill | undefined;
}

/** Compiles a flag; `input` where its targeting is wrong. */
export function compileFlag(key: string, flag: FlagDefinition, { evaluators = {}, metadata, kill }: FlagSurroundings = {}): CompiledFlag {
  const { targeting, rollout } = flag;
  const hasTargeting = targeting !== undefined && Object.keys(targeting).length > 0;
  return {
    key,
    isEnabled: flag.state === 'ENABLED',
    variants: new Map(Object.entries(flag.variants)),
    defaultVariant: flag.defaultVariant ?? undefined,
    targeting: hasTargeting ? compileTargeting(targeting, flag.$evaluators ?? evaluators, `flags.${key}.targeting`).run : undefined,
    rollout: rollout && {
      variant: rollout.variant,
      percentage: rollout.percentage,
      steps: (rollout.steps ?? []).map(({ from, until, percentage }) => ({
        fromMs: Date.parse(from),
        untilMs: until === undefined ? Number.POSITIVE_INFINITY : Date.parse(until),
        percentage,
      })),
      by: rollout.by === undefined || rollout.by === 'targetingKey' ? undefined : rollout.by.split('.'),
      salt: rollout.salt ?? key,
    },
    activeFromMs: flag.activeFrom === undefined ? Number.NEGATIVE_INFINITY : Date.parse(flag.activeFrom),
    activeUntilMs: flag.activeUntil === undefined ? Number.POSITIVE_INFINITY : Date.parse(flag.activeUntil),
    kill,
    metadata: metadata || flag.metadata ? { ...metadata, ...flag.metadata } : undefined,
  };
}
