import { revealSecret, SECRET_SIGN, type Secret } from '#alerts/routing/secret.ts';

/** Opens secrets for a request, and remembers which. */
export interface Revealer {
  /** The empty text for an absent one. */
  reveal(secret: Secret | undefined): string;
  /** A text that was made of secrets, and is one now. */
  hide(text: string): string;
  readonly revealed: readonly string[];
}

/** A revealer that has opened nothing yet. */
export function createRevealer(): Revealer {
  const revealed: string[] = [];
  const hide = (text: string) => {
    if (text !== '') revealed.push(text);
    return text;
  };
  return { hide, reveal: (secret) => (secret === undefined ? '' : hide(revealSecret(secret))), revealed };
}

// Shorter ones are words that stand in any text by chance: what has one is hidden whole.
const SHORT = 6;

/**
 * The text without any of the secrets, in whatever way servers and libraries write them: as they are, in a URL, in JSON, in Base64;
 * of a secret that is a URL also its path, its query and their longer parts.
 */
export function redact(text: string, secrets: readonly string[]): string {
  const forms = [...new Set(secrets.flatMap(findForms))].filter((form) => form !== '').sort((a, b) => b.length - a.length);
  let shown = text;
  for (const form of forms) {
    if (!shown.includes(form)) continue;
    if (form.length < SHORT) return SECRET_SIGN;
    shown = shown.replaceAll(form, SECRET_SIGN);
  }
  return shown;
}

function findForms(secret: string): string[] {
  return [secret, secret.trim(), ...findParts(secret)].flatMap((part) => [
    part,
    encodeURIComponent(part.toWellFormed()),
    new URLSearchParams({ x: part }).toString().slice(2),
    JSON.stringify(part).slice(1, -1),
    Buffer.from(part).toString('base64').replace(/=+$/, ''),
  ]);
}

/** Of a URL all that may be secret, which is all but scheme, host and port. */
function findParts(secret: string): string[] {
  const url = URL.parse(secret.trim());
  if (url === null || !/^https?:$/.test(url.protocol)) return [];
  const steps = url.pathname.split('/').filter((step) => step.length >= 8);
  const values = [...url.searchParams.values()].filter((value) => value.length >= 4);
  const whole = [url.href, url.pathname, `${url.pathname}${url.search}`].filter((part) => part.length >= SHORT);
  return [...whole, ...steps, ...values, url.username, url.password].flatMap((part) => [part, decode(part)]);
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
