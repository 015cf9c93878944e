import * as z from 'zod';

/** What every event of ours carries. */
export const Envelope = z.object({
  /** Unique: the same event may come twice. */
  id: z.string().min(1),
  tenant: z.string().min(1),
  /** When it happened. */
  at: z.iso.datetime(),
});
