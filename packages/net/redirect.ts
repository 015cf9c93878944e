import { OpsError } from '#core/errors.ts';
import type { OutgoingResponse, OutgoingTls } from '#ports/outgoing.ts';

/** What is sent to one URL. */
export interface Step {
  readonly url: URL;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly tls: OutgoingTls | undefined;
}

// What tells nothing about who asks; all else may be a credential.
const anywhere = new Set(['accept', 'content-type', 'user-agent']);

/**
 * Where an answer redirects to, as Go's client does it: 301, 302 and 303 become a GET without a body, 307 and 308 are sent again as
 * they were. Another host or port gets neither headers that may be credentials nor the client's certificate. `denied` for a redirect
 * from https to http; undefined if it is no redirect.
 */
export function planRedirect(step: Step, response: OutgoingResponse): Step | undefined {
  const location = response.headers.location;
  if (![301, 302, 303, 307, 308].includes(response.status) || location === undefined) return undefined;
  const url = parseUrl(location, step.url);
  if (step.url.protocol === 'https:' && url.protocol !== 'https:') {
    throw new OpsError('denied', `${step.url.origin} redirects from https to ${url.origin}, which would be sent in the clear`);
  }
  // Whoever redirects has no say in what credentials are sent.
  url.username = '';
  url.password = '';
  const moved = url.host === step.url.host ? step : stripForOthers(step);
  const repeats = response.status === 307 || response.status === 308 || step.method === 'GET';
  return repeats ? { ...moved, url } : { ...moved, url, method: 'GET', body: '', headers: withoutContent(moved.headers) };
}

/** Parses a URL of http or https; `input` without telling it. */
export function parseUrl(text: string, base?: URL): URL {
  const url = URL.parse(text, base?.href);
  if (url === null) throw new OpsError('input', base ? `${base.origin} redirects to what is no URL` : 'the URL cannot be parsed');
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw new OpsError('denied', `a URL of ${url.protocol.slice(0, 20)} is not sent to; http: and https: are`);
  }
  url.hash = '';
  return url;
}

function stripForOthers(step: Step): Step {
  const headers = Object.fromEntries(Object.entries(step.headers).filter(([name]) => anywhere.has(name.toLowerCase())));
  if (step.tls === undefined) return { ...step, headers };
  const { cert: _cert, key: _key, serverName: _serverName, ...tls } = step.tls;
  return { ...step, headers, tls };
}

function withoutContent(headers: Step['headers']): Step['headers'] {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !name.toLowerCase().startsWith('content-')));
}
