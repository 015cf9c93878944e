/** What is shown in a secret's place, and is read as one: Alertmanager's own sign. */
export const SECRET_SIGN = '<secret>';

/** The same where older tools take nothing but an address: a webhook's was none of their secrets. */
export const SECRET_URL = `http://${SECRET_SIGN}`;

/** A text that printing, JSON, template literals and inspection show as `<secret>`; only revealSecret gives it. */
export interface Secret {
  toString(): string;
  toJSON(): string;
}

const texts = new WeakMap<Secret, string>();
const show = () => SECRET_SIGN;

/** Wraps a text; keep it wrapped until the call that needs it. */
export function createSecret(text: string): Secret {
  const secret = Object.freeze({ toString: show, toJSON: show, [Symbol.for('nodejs.util.inspect.custom')]: show });
  texts.set(secret, text);
  return secret;
}

/** True for what createSecret made. */
export function isSecret(value: unknown): value is Secret {
  return typeof value === 'object' && value !== null && texts.has(value as Secret);
}

/** The text itself, for the request that is sent with it. */
export function revealSecret(secret: Secret): string {
  const text = texts.get(secret);
  if (text === undefined) throw new TypeError('not a secret');
  return text;
}
