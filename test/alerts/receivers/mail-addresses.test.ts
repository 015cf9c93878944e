import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseMailAddresses } from '#alerts/receivers/mail-addresses.ts';
import { isOpsError } from '#core/errors.ts';

describe('a list of mail addresses', () => {
  it.each([
    ['a@x.org', ['a@x.org']],
    ['a@x.org, b@x.org', ['a@x.org', 'b@x.org']],
    ['Ops <a@x.org>,"B, \\"C\\"" <b@x.org>', ['a@x.org', 'b@x.org']],
    ["o'neil+tag@sub.x.org", ["o'neil+tag@sub.x.org"]],
    ['grün@bücher.example', ['grün@bücher.example']],
    ['a@localhost', ['a@localhost']],
    ['a@x.org,', ['a@x.org']],
    ['', []],
  ])('%s is %j', (list, addresses) => expect(parseMailAddresses(list)).toEqual(addresses));

  it.each(['a', 'a@', '@x.org', 'a b@x.org', 'a@x.org b@x.org', 'a@b@c', 'Ops <a@x.org> more', '<a@x.org>,<', 'a@x.org\nb'])(
    '%j is none',
    (list) => {
      expect(() => parseMailAddresses(list)).toThrow(/is no mail address/);
    },
  );

  it('never gives what would end a command or a header', () => {
    const piece = fc.constantFrom('a', '@', 'x.org', ',', ' ', '<', '>', '"', '\\', '\r\n', '\0', ';', ':', 'RCPT TO:<b@x.org>');
    const text = fc.oneof(
      fc.array(piece, { maxLength: 12 }).map((parts) => parts.join('')),
      fc.string({ unit: 'binary' }),
    );
    fc.assert(
      fc.property(text, (list) => {
        try {
          for (const address of parseMailAddresses(list)) expect(address).toMatch(/^[^\s<>,;:"\p{Cc}]+@[^\s<>,;:"@\p{Cc}]+$/u);
        } catch (error) {
          expect(isOpsError(error, 'input')).toBe(true);
        }
      }),
      { numRuns: 300 },
    );
  });
});
