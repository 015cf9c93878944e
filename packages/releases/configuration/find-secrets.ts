import type { ConfigDocument } from './document.ts';

/** Names under which people keep secrets. */
const SECRET_NAME =
  /(?:^|_)(?:PASSWORD|PASSWD|PASSPHRASE|SECRET|SECRET_KEY|TOKEN|API_?KEY|PRIVATE_?KEY|ACCESS_?KEY|CREDENTIALS?)(?:_(?:ID|VALUE))?$/i;

/** Text that is a secret whatever it is called; each with what it looks like. No pattern begins at each character of a long run. */
const SECRET_TEXTS: readonly (readonly [RegExp, string])[] = [
  [/-----BEGIN [A-Z ]*PRIVATE KEY-----/, 'a private key'],
  [/\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/, 'an AWS access key'],
  [/\bgh[pousr]_[A-Za-z0-9]{36,}\b/, 'a GitHub token'],
  [/\bglpat-[\w-]{20,}\b/, 'a GitLab token'],
  [/\bxox[abprs]-[\w-]{10,}/, 'a Slack token'],
  [/\bsk_live_[A-Za-z0-9]{16,}\b/, 'a Stripe key'],
  [/(?<![\w-])eyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,}/, 'a JSON web token'],
  [/[a-z0-9+.-]:\/\/[^\s/:@]+:[^\s/@]+@/i, 'an address with a password in it'],
];

/** What of a document is the value of a secret and must be a reference instead; one sentence each, which does not repeat it. */
export function findSecrets({ env, files }: ConfigDocument): string[] {
  return [
    ...Object.entries(env).flatMap(([name, value]) => (typeof value === 'string' ? judge(`env.${name}`, name, value) : [])),
    ...Object.entries(files).flatMap(([path, value]) => (typeof value === 'string' ? judge(`files.${path}`, '', value) : [])),
  ];
}

function judge(place: string, name: string, text: string): string[] {
  const looks = SECRET_TEXTS.find(([pattern]) => pattern.test(text))?.[1];
  if (looks !== undefined) return [`${place} holds what looks like ${looks}; put a reference to where it is kept`];
  if (SECRET_NAME.test(name) && text !== '') return [`${place} is named as a secret and holds text; put a reference to where it is kept`];
  return [];
}
