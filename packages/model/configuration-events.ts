import * as z from 'zod';
import { Envelope } from './event-envelope.ts';

/** An environment of an application is to run with another configuration. */
export const ConfigChanged = Envelope.extend({
  application: z.string(),
  environment: z.string(),
  /** Counts the configurations that were active there. */
  revision: z.int().min(0),
  /** Who did it. */
  by: z.string(),
  /** Why. */
  message: z.string(),
  /** The release that it came with. */
  release: z.string().optional(),
  /** Variables and files that changed, never their values; as many as fit. */
  names: z.array(z.string()),
  /** Those that did not fit. */
  truncatedNames: z.int().min(0),
});
export type ConfigChanged = z.infer<typeof ConfigChanged>;
