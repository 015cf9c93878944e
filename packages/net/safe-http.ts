import { validateHeaderName, validateHeaderValue } from 'node:http';
import { OpsError } from '#core/errors.ts';
import type { Outgoing, OutgoingRequest, OutgoingResponse } from '#ports/outgoing.ts';
import { exchange } from './exchange.ts';
import { type GuardDeps, resolveGuarded } from './guard.ts';
import { parseUrl, planRedirect, type Step } from './redirect.ts';

export interface SafeHttpDeps extends GuardDeps {
  /** For name, TCP and TLS of one hop. Default: 5 s. */
  readonly connectTimeoutMs?: number | undefined;
}

const CONNECT_TIMEOUT_MS = 5_000;
const MAX_REDIRECTS = 5;
// They decide where a request ends, or what the connection becomes.
const reserved = new Set(['host', 'content-length', 'transfer-encoding', 'connection', 'upgrade', 'te', 'trailer', 'expect', 'keep-alive']);

/**
 * The Outgoing port over node:http without what could be turned against us: no address that is not public (or allowed), no name
 * that is looked up twice, no endless answer. Each redirect is checked as the first target was. It reads no proxy settings.
 */
export function createSafeHttp(deps: SafeHttpDeps): Outgoing {
  return {
    async send(request) {
      if (request.oauth2 !== undefined) throw new OpsError('input', 'a request with OAuth 2 has to go through withOAuth2');
      const untilMs = performance.now() + request.timeoutMs;
      let step = firstStep(request);
      for (let redirects = 0; ; redirects++) {
        const response = await sendStep(deps, request, step, untilMs);
        const next = request.followRedirects ? planRedirect(step, response) : undefined;
        if (next === undefined) return response;
        if (redirects === MAX_REDIRECTS) {
          throw new OpsError('unavailable', `${request.method} ${step.url.origin}: more than ${MAX_REDIRECTS} redirects`);
        }
        step = next;
      }
    },
  };
}

function firstStep({ method, url: text, headers, body, tls }: OutgoingRequest): Step {
  const url = parseUrl(text);
  const credentials = takeCredentials(url);
  const given = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value] as const);
  for (const [name, value] of given) checkHeader(name, value);
  return { url, method, body, tls, headers: { ...credentials, ...Object.fromEntries(given) } };
}

/** `https://user:password@host` is basic authentication; the credentials leave the URL. */
function takeCredentials(url: URL): Record<string, string> {
  if (url.username === '' && url.password === '') return {};
  const pair = `${decode(url.username)}:${decode(url.password)}`;
  url.username = '';
  url.password = '';
  return { authorization: `Basic ${Buffer.from(pair).toString('base64')}` };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function checkHeader(name: string, value: string): void {
  if (reserved.has(name)) throw new OpsError('input', `the header ${name} cannot be set`);
  try {
    validateHeaderName(name);
    validateHeaderValue(name, value);
  } catch {
    throw new OpsError('input', `the header ${JSON.stringify(name.slice(0, 50))} has a name or value that HTTP does not allow`);
  }
}

async function sendStep(deps: SafeHttpDeps, request: OutgoingRequest, step: Step, untilMs: number): Promise<OutgoingResponse> {
  const leftMs = untilMs - performance.now();
  const connectTimeoutMs = Math.min(deps.connectTimeoutMs ?? CONNECT_TIMEOUT_MS, leftMs);
  const startedMs = performance.now();
  const addresses = await within(connectTimeoutMs, `${step.method} ${step.url.origin}`, resolveGuarded(deps, step.url.hostname));
  const spentMs = performance.now() - startedMs;
  return exchange({
    ...step,
    addresses,
    connectTimeoutMs: Math.max(1, connectTimeoutMs - spentMs),
    timeoutMs: Math.max(1, leftMs - spentMs),
    maxResponseBytes: request.maxResponseBytes,
  });
}

/** A resolver cannot be stopped, only no longer waited for. */
async function within<T>(timeoutMs: number, what: string, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new OpsError('unavailable', `${what}: no address within ${Math.round(timeoutMs)} ms`)), timeoutMs);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}
