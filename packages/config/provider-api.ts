import { createPrivateKey } from 'node:crypto';
import * as z from 'zod';

/** Where a provider's API is, without a slash at the end. Tokens are sent there: only over TLS, but on this machine. */
export function apiAddress(fallback: string) {
  return z
    .url({ error: TAKES_ADDRESS })
    .refine(isApiAddress, TAKES_ADDRESS)
    .transform((text) => new URL(text).href.replace(/\/+$/, ''))
    .default(fallback);
}

const TAKES_ADDRESS = 'takes an https URL without query (http on loopback alone)';

function isApiAddress(text: string): boolean {
  const url = URL.parse(text);
  if (url === null || `${url.search}${url.hash}${url.username}${url.password}` !== '') return false;
  return url.protocol === 'https:' || (url.protocol === 'http:' && /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(url.hostname));
}

/** A private RSA key as PEM; one line with `\n` written out is what many ways of setting variables leave of it. */
export const privateKey = z
  .string()
  .transform((text) => text.replaceAll('\\n', '\n'))
  .refine(isPrivateKey, 'takes a private RSA key as PEM; its line ends may be written as \\n');

function isPrivateKey(pem: string): boolean {
  try {
    return createPrivateKey(pem).asymmetricKeyType === 'rsa';
  } catch {
    return false;
  }
}
