import { createSign } from 'node:crypto';
import * as z from 'zod';
import { type Clock, MINUTE_MS, SECOND_MS } from '#core/time.ts';
import type { Outgoing, OutgoingRequest } from '#ports/outgoing.ts';
import { type AnswerVerdict, judgeAnswer } from './answer-verdict.ts';

/** A GitHub App, as it proves to be it. */
export interface GithubApp {
  readonly id: string;
  /** RSA, as PEM. */
  readonly privateKey: string;
}

/** Installation tokens, or why there is none just now. */
export interface GithubTokens {
  get(installation: string): Promise<{ readonly token: string } | AnswerVerdict>;
  /** Forgets a token that was not taken. */
  drop(installation: string, token: string): void;
}

const InstallationToken = z.object({ token: z.string().min(1).max(4_000), expires_at: z.string() });

/** A token is asked for anew this long before its end: clocks differ, and it has to last for what is under way. */
const MARGIN_MS = 5 * MINUTE_MS;
/** GitHub takes ten minutes at most, from a clock that may be behind ours. */
const JWT_MS = 9 * MINUTE_MS;
const SKEW_MS = MINUTE_MS;
const MAX_TOKENS = 1_000;

/** Tokens of the installations of an App, kept in memory until shortly before they end; those who ask at the same time share one. */
export function createGithubTokens(deps: { outgoing: Outgoing; now: Clock; apiUrl: string; app: GithubApp }): GithubTokens {
  const known = new Map<string, { readonly token: string; readonly untilMs: number }>();
  const asking = new Map<string, Promise<{ readonly token: string } | AnswerVerdict>>();

  const ask = async (installation: string) => {
    const response = await deps.outgoing.send(tokenRequest(deps, installation));
    const verdict = judgeAnswer(response, deps.now());
    if (verdict.kind !== 'sent') return { ...verdict, reason: `no token of installation ${installation}: ${verdict.reason}` };
    const parsed = InstallationToken.safeParse(parseJson(response.body));
    if (!parsed.success) return { kind: 'retry' as const, reason: 'the installation token is not as GitHub documents it' };
    const { token, expires_at: expiresAt } = parsed.data;
    if (known.size >= MAX_TOKENS) known.clear();
    known.set(installation, { token, untilMs: Date.parse(expiresAt) - MARGIN_MS });
    return { token };
  };

  return {
    async get(installation) {
      const kept = known.get(installation);
      if (kept && deps.now() < kept.untilMs) return { token: kept.token };
      const current = asking.get(installation) ?? ask(installation).finally(() => asking.delete(installation));
      asking.set(installation, current);
      return current;
    },
    drop(installation, token) {
      if (known.get(installation)?.token === token) known.delete(installation);
    },
  };
}

function tokenRequest(deps: { now: Clock; apiUrl: string; app: GithubApp }, installation: string): OutgoingRequest {
  return githubRequest(`${deps.apiUrl}/app/installations/${installation}/access_tokens`, signJwt(deps.app, deps.now()), {});
}

/** A request to GitHub's API: a POST where it has a body, otherwise a GET. */
export function githubRequest(url: string, token: string, body?: unknown): OutgoingRequest {
  return {
    method: body === undefined ? 'GET' : 'POST',
    url,
    headers: {
      accept: 'application/vnd.github+json',
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      'user-agent': 'quarterdeck',
      'x-github-api-version': '2022-11-28',
    },
    body: body === undefined ? '' : JSON.stringify(body),
    timeoutMs: 10 * SECOND_MS,
    maxResponseBytes: 1024 * 1024,
    followRedirects: false,
  };
}

/** The JSON Web Token (RFC 7519, RS256) by which an App asks for tokens. */
function signJwt({ id, privateKey }: GithubApp, nowMs: number): string {
  const seconds = (ms: number) => Math.floor(ms / 1_000);
  const parts = [
    { alg: 'RS256', typ: 'JWT' },
    { iat: seconds(nowMs - SKEW_MS), exp: seconds(nowMs + JWT_MS - SKEW_MS), iss: id },
  ];
  const signed = parts.map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
  return `${signed}.${createSign('RSA-SHA256').update(signed).sign(privateKey, 'base64url')}`;
}

/** The value of a JSON text; undefined where it is none. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
