import * as z from 'zod';

/** A flag was made, changed, turned off or on, or deleted. */
export const FlagChanged = z.object({
  /** Unique: the same event may come twice. */
  id: z.string().min(1),
  tenant: z.string().min(1),
  /** When it happened. */
  at: z.iso.datetime(),
  flag: z.string().min(1),
  /** Of the flag, which every change raises by one. */
  version: z.int().min(1),
  action: z.enum(['created', 'changed', 'deleted', 'rollout', 'killed', 'revived']),
  /** Who it was, as the caller said. */
  by: z.string(),
  reason: z.string(),
  /** Of the rollout before and after, in percent, where it has one. */
  fromPercentage: z.number().optional(),
  toPercentage: z.number().optional(),
  /** The release that drives the rollout. */
  release: z.string().optional(),
});
export type FlagChanged = z.infer<typeof FlagChanged>;
