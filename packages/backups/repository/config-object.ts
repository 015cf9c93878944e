import * as z from 'zod';
import type { ChunkerParameters } from '#backups/chunks/fast-cdc.ts';
import { CONFIG_KEY } from '#backups/format/layout.ts';
import { damaged, type Sealing, sealJson, unsealJson } from '#backups/format/sealed-object.ts';
import type { Secrets } from '#backups/format/secrets.ts';

/** What a repository is: written once, when it is created. */
export interface ConfigObject {
  readonly id: string;
  readonly createdAt: string;
  readonly chunker: ChunkerParameters;
}

const Stored = z.object({
  id: z.string().regex(/^[0-9a-f]{32}$/),
  createdAt: z.string(),
  chunker: z.object({
    minBytes: z.int(),
    averageBytes: z.int(),
    maxBytes: z.int(),
    level: z.int(),
    seed: z.string().regex(/^[0-9a-f]{16}$/),
  }),
});

/** The sealed configuration. */
export function encodeConfig(sealing: Sealing, config: ConfigObject): Uint8Array {
  const { minBytes, averageBytes, maxBytes, level, seed } = config.chunker;
  const chunker = { minBytes, averageBytes, maxBytes, level, seed: seed.toString(16).padStart(16, '0') };
  return sealJson(sealing, CONFIG_KEY, { id: config.id, createdAt: config.createdAt, chunker });
}

/** What `encodeConfig` was given; `input` where it is damaged or sealed with another master key. */
export function decodeConfig(secrets: Secrets, bytes: Uint8Array): ConfigObject {
  const { data, error } = Stored.safeParse(unsealJson(secrets, CONFIG_KEY, bytes));
  if (!data) throw damaged(CONFIG_KEY, 'it has not the fields of a configuration', error);
  return { ...data, chunker: { ...data.chunker, seed: BigInt(`0x${data.chunker.seed}`) } };
}
