import * as z from 'zod';
import { OpsError } from '#core/errors.ts';
import { describeValue } from './describe-issue.ts';
import { type Environment, isLoopback } from './settings.ts';

/** Where the commands that talk to a server find it, where their arguments do not say. */
export interface ClientSettings {
  readonly url: string;
  readonly token: string | undefined;
}

const Url = z.url({ protocol: /^https?$/ });

/**
 * Reads `QUARTERDECK_URL` and `QUARTERDECK_TOKEN`. Without the first it is the server that this very environment would start on this
 * machine: `HOST` and `PORT`. `input` for an address that is none.
 */
export function readClientSettings(env: Environment = process.env): ClientSettings {
  const host = env.HOST && isLoopback(env.HOST) ? env.HOST : '127.0.0.1';
  const url = env.QUARTERDECK_URL || `http://${host.includes(':') ? `[${host}]` : host}:${env.PORT || 4318}`;
  const name = env.QUARTERDECK_URL ? 'QUARTERDECK_URL' : 'PORT';
  return { url: checkUrl(url, name), token: env.QUARTERDECK_TOKEN || undefined };
}

/** The address as it stands, or `input` that names where it came from. */
export function checkUrl(url: string, name: string): string {
  if (Url.safeParse(url).success) return url;
  throw new OpsError('input', `${name}: got ${describeValue(url)}; takes an http or https URL such as http://127.0.0.1:4318`);
}
