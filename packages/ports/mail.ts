import type { OutgoingTls } from './outgoing.ts';

/** The server that takes the mail; an adapter with a service of its own (SES) does without. */
export interface SmtpServer {
  readonly host: string;
  readonly port: number;
  /** TLS from the first byte; otherwise STARTTLS where the server offers it. */
  readonly implicitTls: boolean;
  /** Not sent at all if the server offers no TLS. */
  readonly requireTls: boolean;
  readonly tls?: OutgoingTls | undefined;
  /** What EHLO says. */
  readonly hello: string;
  /** `secret` is for CRAM-MD5, `password` for the other mechanisms. */
  readonly auth?: { readonly username: string; readonly password: string; readonly secret: string } | undefined;
}

/** One mail, sent once to all its recipients. */
export interface MailMessage {
  readonly server?: SmtpServer | undefined;
  /** One address, with a name or without. */
  readonly from: string;
  /** Addresses that get it, whatever the headers say. */
  readonly to: readonly string[];
  readonly subject: string;
  /** Further headers by name, those shown as From and To among them if they differ. */
  readonly headers: Readonly<Record<string, string>>;
  /** Without angle brackets; a service may set its own. */
  readonly messageId: string;
  readonly text: string;
  /** Empty: no such part. */
  readonly html: string;
  readonly timeoutMs: number;
}

/**
 * Mail to the outside. Resolves when the server has taken it for all recipients.
 * `unavailable`: it may be sent again, and may have arrived (some recipients may have it). `denied`: credentials or sender refused, or
 * an address that may not be reached. `input`: the message or a recipient is refused for good. No message tells credentials.
 */
export interface Mail {
  send(message: MailMessage): Promise<void>;
}
