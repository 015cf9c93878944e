import { createPublicKey, createVerify, generateKeyPairSync } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import * as z from 'zod';
import { HOUR_MS, MINUTE_MS } from '#core/time.ts';
import type { Outgoing } from '#ports/outgoing.ts';

// GitHub's REST API as far as Apps answer by it, after docs.github.com: "Generating a JSON Web Token for a GitHub App", "Creating custom
// deployment protection rules", "Rate limits for the REST API", and the references of deployment statuses and commit statuses.

/** A request as the stand-in sees it. */
export interface ApiRequest {
  readonly method: string;
  /** With query. */
  readonly path: string;
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: string;
}

interface ApiAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface GithubOptions {
  readonly now: () => number;
  /** Requests an hour of one token. */
  readonly requestsAnHour?: number;
}

/** A call that got through its credentials, in order. */
export interface ApiCall {
  readonly path: string;
  readonly body: unknown;
  readonly status: number;
}

interface Rule {
  readonly environment: string;
  state: 'pending' | 'approved' | 'rejected';
  readonly comments: string[];
}

const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });

export const APP = { id: '4711', privateKey: String(privateKey.export({ type: 'pkcs1', format: 'pem' })) };
export const INSTALLATION = 815;
export const REPOSITORY = 'octo-org/octo-repo';

const RuleReview = z.object({
  environment_name: z.string(),
  state: z.enum(['approved', 'rejected']).optional(),
  comment: z.string().max(1_024).optional(),
});
const DeploymentStatus = z.object({
  state: z.enum(['error', 'failure', 'inactive', 'in_progress', 'queued', 'pending', 'success']),
  description: z.string().max(140).optional(),
  log_url: z.url().optional(),
});
const CommitStatus = z.object({
  state: z.enum(['error', 'failure', 'pending', 'success']),
  context: z.string().max(255),
  description: z.string().max(140).optional(),
  target_url: z.url().optional(),
});

const MAX_REPORTS = 10;
const TOKEN_MS = HOUR_MS;

/** GitHub's API in memory, with a look inside; `listen` puts it on loopback. */
export function createGithub({ now, requestsAnHour = 5_000 }: GithubOptions) {
  const tokens = new Map<string, { readonly expiresAtMs: number; used: number; readonly resetMs: number }>();
  const rules = new Map<string, Rule>();
  const deployments = new Map<string, z.infer<typeof DeploymentStatus>[]>();
  const commits = new Map<string, z.infer<typeof CommitStatus>[]>();
  const calls: ApiCall[] = [];
  const scripted: (() => ApiAnswer)[] = [];
  let tokensMade = 0;

  const issueToken = (installation: string, jwt: string): ApiAnswer => {
    const refusal = refuseJwt(jwt, now());
    if (refusal !== undefined) return problem(401, refusal);
    if (installation !== String(INSTALLATION)) return problem(404, 'Not Found');
    const token = `ghs_${String(++tokensMade).padStart(8, '0')}`;
    tokens.set(token, { expiresAtMs: now() + TOKEN_MS, used: 0, resetMs: now() + HOUR_MS });
    return json(201, {
      token,
      expires_at: new Date(now() + TOKEN_MS).toISOString().replace(/\.\d+/, ''),
      permissions: { deployments: 'write' },
    });
  };

  const reviewRule = (path: string, body: unknown): ApiAnswer => {
    const rule = rules.get(path);
    if (!rule) return problem(404, 'Not Found');
    const review = RuleReview.safeParse(body);
    if (!review.success || review.data.environment_name !== rule.environment) return problem(422, 'Validation Failed');
    const { state, comment = '' } = review.data;
    if (rule.state !== 'pending') return problem(422, 'There are no pending deployment requests to review');
    if (state === undefined && rule.comments.length >= MAX_REPORTS) return problem(422, 'Status report limit reached');
    rule.comments.push(comment);
    rule.state = state ?? 'pending';
    return { status: 204, headers: {}, body: '' };
  };

  const post = (path: string, body: unknown): ApiAnswer => {
    const [, repository, rest = ''] = /^\/repos\/([^/]+\/[^/]+)\/(.*)$/.exec(path) ?? [];
    if (repository !== REPOSITORY) return problem(404, 'Not Found');
    if (/^actions\/runs\/\d+\/deployment_protection_rule$/.test(rest)) return reviewRule(path, body);
    const [, deployment] = /^deployments\/(\d+)\/statuses$/.exec(rest) ?? [];
    if (deployment !== undefined) return keep(deployments, deployment, DeploymentStatus, body);
    const [, commit] = /^statuses\/([0-9a-f]{40})$/.exec(rest) ?? [];
    return commit === undefined ? problem(404, 'Not Found') : keep(commits, commit, CommitStatus, body);
  };

  const get = (path: string): ApiAnswer => {
    const [, repository, rest = ''] = /^\/repos\/([^/]+\/[^/]+)\/(.*)$/.exec(path) ?? [];
    const [, deployment, commit, limit] = /^(?:deployments\/(\d+)|commits\/([0-9a-f]{40}))\/statuses\?per_page=(\d+)$/.exec(rest) ?? [];
    if (repository !== REPOSITORY || limit === undefined) return problem(404, 'Not Found');
    const kept = (deployment === undefined ? commits.get(commit) : deployments.get(deployment)) ?? [];
    return json(200, [...kept].reverse().slice(0, Number(limit)));
  };

  const handle = (request: ApiRequest): ApiAnswer => {
    const { method, path, headers } = request;
    if (headers['user-agent'] === undefined) return problem(403, 'Request forbidden by administrative rules.');
    const [, credential = ''] = /^Bearer (\S+)$/.exec(headers.authorization ?? '') ?? [];
    const [, installation] = /^\/app\/installations\/(\d+)\/access_tokens$/.exec(path) ?? [];
    if (method === 'POST' && installation !== undefined) return issueToken(installation, credential);
    const token = tokens.get(credential);
    if (!token || now() >= token.expiresAtMs) return problem(401, 'Bad credentials');
    token.used++;
    const limits = {
      'x-ratelimit-limit': String(requestsAnHour),
      'x-ratelimit-remaining': String(Math.max(0, requestsAnHour - token.used)),
      'x-ratelimit-reset': String(Math.ceil(token.resetMs / 1_000)),
    };
    if (token.used > requestsAnHour && now() >= token.resetMs) token.used = 1;
    const body = request.body === '' ? undefined : (JSON.parse(request.body) as unknown);
    const answer =
      token.used > requestsAnHour
        ? problem(403, 'API rate limit exceeded for installation ID 815.')
        : (scripted.shift()?.() ?? (method === 'POST' ? post(path, body) : get(path)));
    calls.push({ path, body, status: answer.status });
    return { ...answer, headers: { ...limits, ...answer.headers } };
  };

  return {
    handle,
    calls: calls as readonly ApiCall[],
    rules: rules as ReadonlyMap<string, Readonly<Rule>>,
    deployments,
    commits,
    tokensMade: () => tokensMade,
    /** A job waits for the rule. Returns the path of its callback. */
    askRule(run: number, environment: string): string {
      const path = `/repos/${REPOSITORY}/actions/runs/${run}/deployment_protection_rule`;
      rules.set(path, { environment, state: 'pending', comments: [] });
      return path;
    },
    /** What the next calls that get through their credentials are answered instead. */
    script: (...answers: readonly (() => ApiAnswer)[]) => void scripted.push(...answers),
    /** As when an App's permissions change: every token is withdrawn. */
    withdrawTokens: () => tokens.clear(),
    /** The same without a network. */
    outgoing: {
      send: async ({ method, url, headers, body }) => {
        const { pathname, search } = new URL(url);
        return { ...handle({ method, path: pathname + search, headers, body }), truncated: false };
      },
    } satisfies Outgoing,
    listen: () => listen(handle),
  };
}

export type Github = ReturnType<typeof createGithub>;

/** A refusal as GitHub words it. */
export function problem(status: number, message: string, headers: Readonly<Record<string, string>> = {}): ApiAnswer {
  return { ...json(status, { message, documentation_url: 'https://docs.github.com/rest' }), headers };
}

function json(status: number, body: unknown): ApiAnswer {
  return { status, headers: {}, body: JSON.stringify(body) };
}

function keep<T extends z.ZodType>(kept: Map<string, z.infer<T>[]>, key: string, schema: T, body: unknown): ApiAnswer {
  const parsed = schema.safeParse(body);
  if (!parsed.success) return problem(422, 'Validation Failed');
  kept.set(key, [...(kept.get(key) ?? []), parsed.data]);
  return json(201, parsed.data);
}

const Claims = z.object({ iss: z.union([z.string(), z.number()]), iat: z.int(), exp: z.int() });

function refuseJwt(jwt: string, nowMs: number): string | undefined {
  const [head = '', payload = '', signature = ''] = jwt.split('.');
  const decode = (part: string): unknown => JSON.parse(Buffer.from(part, 'base64url').toString('utf8'));
  try {
    if ((decode(head) as { alg?: unknown }).alg !== 'RS256') return 'A JSON web token could not be decoded';
    const isSigned = createVerify('RSA-SHA256')
      .update(`${head}.${payload}`)
      .verify(createPublicKey(publicKey.export({ type: 'spki', format: 'pem' })), signature, 'base64url');
    if (!isSigned) return 'A JSON web token could not be decoded';
    const { iss, iat, exp } = Claims.parse(decode(payload));
    if (String(iss) !== APP.id) return 'Integration not found';
    if (iat * 1_000 > nowMs) return "'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued";
    if (exp * 1_000 <= nowMs)
      return "'Expiration time' claim ('exp') must be a numeric value representing the future time at which the assertion expires";
    return exp * 1_000 > nowMs + 10 * MINUTE_MS ? "'Expiration time' claim ('exp') is too far in the future" : undefined;
  } catch {
    return 'A JSON web token could not be decoded';
  }
}

/** The stand-in on a free port of loopback. */
async function listen(handle: (request: ApiRequest) => ApiAnswer): Promise<{ readonly url: string; close(): Promise<void> }> {
  const server = createServer(async (request, response) => {
    const { status, headers, body } = handle({ ...(await readRequest(request)) });
    response.writeHead(status, { 'content-type': 'application/json; charset=utf-8', ...headers }).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => new Promise((resolve) => void server.close(() => resolve())),
  };
}

async function readRequest(request: IncomingMessage): Promise<ApiRequest> {
  const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]));
  return { method: request.method ?? '', path: request.url ?? '', headers, body: await text(request) };
}
