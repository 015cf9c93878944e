import type { SESv2Client, SendEmailCommandInput } from '@aws-sdk/client-sesv2';
import type { RetryOptions } from '#core/retry.ts';
import type { Mail, MailMessage } from '#ports/mail.ts';
import { callAws } from './call.ts';
import { type ClientOptions, commonOptions } from './clients.ts';

export interface SesMailDeps extends ClientOptions {
  readonly retry?: RetryOptions | undefined;
}

const REQUEST_TIMEOUT_MS = 10_000;
// SES makes them, or has fields of its own for them.
const notOurs = new Set(['from', 'to', 'cc', 'reply-to', 'sender', 'return-path', 'received', 'dkim-signature', 'message-id', 'date']);

/** The Mail port on SES, as the running role; a message's server is not looked at. The SDK is loaded with the first message. */
export function createSesMail(deps: SesMailDeps): Mail {
  let client: SESv2Client | undefined;
  return {
    async send(message) {
      const { SESv2Client, SendEmailCommand } = await import('@aws-sdk/client-sesv2');
      client ??= new SESv2Client(commonOptions(deps, REQUEST_TIMEOUT_MS));
      const ses = client;
      const options = { operation: 'ses:SendEmail', resource: 'the sender of mail', repeat: 'refused', retry: deps.retry } as const;
      await callAws(options, () => ses.send(new SendEmailCommand(toInput(message))));
    },
  };
}

function toInput({ from, to, subject, headers, text, html }: MailMessage): SendEmailCommandInput {
  const content = (data: string) => ({ Data: data, Charset: 'UTF-8' });
  const replyTo = Object.entries(headers).find(([name]) => name.toLowerCase() === 'reply-to')?.[1];
  return {
    FromEmailAddress: encodeName(from),
    Destination: { ToAddresses: [...to] },
    ...(replyTo === undefined ? {} : { ReplyToAddresses: [encodeName(replyTo)] }),
    Content: {
      Simple: {
        Subject: content(subject),
        // SES takes no message without a body.
        Body: { ...(text === '' && html !== '' ? {} : { Text: content(text || ' ') }), ...(html === '' ? {} : { Html: content(html) }) },
        Headers: Object.entries(headers)
          .filter(([name]) => !notOurs.has(name.toLowerCase()))
          .map(([Name, value]) => ({ Name, Value: encodeWords(value) })),
      },
    },
  };
}

/** `Wächter <a@example.org>` with the name as encoded words. */
function encodeName(address: string): string {
  const [, name, bare] = /^\s*"?([^"<]*?)"?\s*(<[^<>]*>)\s*$/.exec(address) ?? [];
  return name && bare && !isAscii(name) ? `${encodeWords(name)} ${bare}` : address;
}

function isAscii(text: string): boolean {
  return /^[\x20-\x7e]*$/.test(text);
}

/** RFC 2047: words of at most 75 characters, none of which splits a character. */
function encodeWords(text: string): string {
  if (isAscii(text)) return text;
  const words: string[] = [];
  let word = '';
  for (const character of text) {
    if (Buffer.byteLength(word + character) > 45) {
      words.push(word);
      word = '';
    }
    word += character;
  }
  return [...words, word].map((part) => `=?UTF-8?B?${Buffer.from(part).toString('base64')}?=`).join(' ');
}
