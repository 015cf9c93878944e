import fc from 'fast-check';
import { expect, it } from 'vitest';
import { isOpsError } from '#core/errors.ts';
import { planRedirect, type Step } from '#net/redirect.ts';

const pieces = [
  'http:',
  'https:',
  'HTTP:',
  'ftp:',
  'javascript:',
  '//',
  '/',
  '\\',
  '\\\\',
  '?',
  '#',
  '@',
  ':',
  '%00',
  '%2f',
  '\t',
  '\n',
  ' ',
  '[::1]',
  '[',
  'é',
];
const words = ['169.254.169.254', 'hooks.test', 'user', '80', '..', '0x7f.1', '', 'a'];
const location = fc.oneof(
  fc.array(fc.constantFrom(...pieces, ...words), { maxLength: 8 }).map((parts) => parts.join('')),
  fc.string({ unit: 'binary' }),
  fc.webUrl({ withFragments: true, withQueryParameters: true }),
);

it('whatever a server redirects to is refused, or a URL of http or https without credentials, and never less than https', () => {
  fc.assert(
    fc.property(location, fc.constantFrom('http:', 'https:'), fc.constantFrom(301, 302, 303, 307, 308), (text, protocol, status) => {
      const headers = { authorization: 'Bearer secret', 'content-type': 'text/plain' };
      const step: Step = { url: new URL(`${protocol}//hooks.test/a`), method: 'POST', headers, body: 'b', tls: { key: 'secret' } };
      try {
        const next = planRedirect(step, { status, headers: { location: text }, body: '', truncated: false })!;
        expect(['http:', 'https:']).toContain(next.url.protocol);
        if (protocol === 'https:') expect(next.url.protocol).toBe('https:');
        expect(next.url.username + next.url.password + next.url.hash).toBe('');
        if (next.url.host !== step.url.host) expect(JSON.stringify(next)).not.toContain('secret');
      } catch (error) {
        expect(isOpsError(error)).toBe(true);
      }
    }),
    { numRuns: 300 },
  );
});
