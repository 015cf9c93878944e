/** TLS of one request, as PEM. */
export interface OutgoingTls {
  /** Trusted in place of the system's authorities. */
  readonly ca?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  /** Asked for and verified in place of the URL's host. */
  readonly serverName?: string | undefined;
  readonly insecureSkipVerify?: boolean | undefined;
  readonly minVersion?: TlsVersion | undefined;
  readonly maxVersion?: TlsVersion | undefined;
}

export type TlsVersion = 'TLSv1' | 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3';

/** Where a bearer token is got before the request: OAuth 2 client credentials (RFC 6749, section 4.4). */
export interface OutgoingOAuth2 {
  readonly clientId: string;
  readonly clientSecret: string;
  readonly tokenUrl: string;
  readonly scopes: readonly string[];
  /** Further fields of the token request. */
  readonly endpointParams: Readonly<Record<string, string>>;
  readonly tls?: OutgoingTls | undefined;
}

/** One request to somebody else's server. Its URL, headers and body may hold secrets: it is never logged, kept or told. */
export interface OutgoingRequest {
  readonly method: 'GET' | 'POST' | 'PUT';
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Sent as UTF-8. */
  readonly body: string;
  /** For everything: name, connection, TLS, redirects and the answer. */
  readonly timeoutMs: number;
  /** What is read of the answer's body; the rest is cut off. */
  readonly maxResponseBytes: number;
  readonly followRedirects: boolean;
  readonly tls?: OutgoingTls | undefined;
  readonly oauth2?: OutgoingOAuth2 | undefined;
}

export interface OutgoingResponse {
  readonly status: number;
  /** By lower-case name; what came several times is joined by a comma. */
  readonly headers: Readonly<Record<string, string>>;
  /** At most `maxResponseBytes`; bytes that are no UTF-8 are replaced. */
  readonly body: string;
  /** The body was longer, or had not ended when the time was up. */
  readonly truncated: boolean;
}

/**
 * HTTP to the outside. Whatever status is answered is a result; once the head of an answer is there, only redirects can still fail.
 * `unavailable`: no answer (name, connection, TLS, time, too many redirects); it may be sent again, and may have arrived.
 * `denied`: the target, or where it redirects to, is an address that may not be reached, or a redirect gives up TLS: nothing was sent
 * there. `input`: the request cannot be sent (its URL, a header). No message or cause tells path, query, credentials, headers or body.
 */
export interface Outgoing {
  send(request: OutgoingRequest): Promise<OutgoingResponse>;
}
