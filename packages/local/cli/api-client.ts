import { OpsError } from '#core/errors.ts';

/** A server's API, as commands use it. */
export interface ApiClient {
  /** The server's address, with a slash at its end. */
  readonly url: string;
  /** The answer, whatever its status; `unavailable` where there is none, `denied` where the token will not do. */
  request(path: string, init?: RequestInit): Promise<Response>;
}

/** Makes a client of the server at this address; the address may have a path in front of the API's. */
export function createApiClient({ url, token }: { url: string; token: string | undefined }): ApiClient {
  const base = url.endsWith('/') ? url : `${url}/`;
  return {
    url: base,
    async request(path, init = {}) {
      const headers = new Headers(init.headers);
      if (token !== undefined) headers.set('authorization', `Bearer ${token}`);
      const answer = await fetch(new URL(path.replace(/^\//, ''), base), { ...init, headers }).catch((cause: Error) => {
        throw unreachable(base, (cause.cause as Error | undefined) ?? cause);
      });
      if (answer.status === 401 || answer.status === 403) throw await answerError(answer);
      return answer;
    },
  };
}

/** What to say where no server can be reached. */
export function unreachable(url: string, cause: Error): OpsError {
  const { code = '' } = cause as NodeJS.ErrnoException;
  const reason = cause.message || code; // trying several addresses fails without a message of its own
  return new OpsError('unavailable', `no server answers at ${url}: ${reason}`, {
    cause,
    hint: 'Start one with `quarterdeck start`, or name another with --url.',
  });
}

/** An answer other than success as an error, in whichever form the API has put it. */
export async function answerError(answer: Response): Promise<OpsError> {
  const text = await answer.text();
  const { message, hint } = readError(text);
  const kind = answer.status === 401 || answer.status === 403 ? 'denied' : answer.status >= 500 ? 'unavailable' : 'input';
  const said = message ?? `the server answered ${answer.status}${text ? `: ${text.trim().slice(0, 300)}` : ''}`;
  return new OpsError(kind, said, { hint: answer.status === 401 ? 'Name a token with --token or QUARTERDECK_TOKEN.' : hint });
}

interface ErrorText {
  readonly message: string | undefined;
  readonly hint?: string | undefined;
}

/** Our own form, Prometheus' form, or S3's XML. */
function readError(text: string): ErrorText {
  const xml = /<Message>([^<]*)<\/Message>/.exec(text)?.[1];
  if (xml !== undefined) return { message: xml };
  try {
    const { error } = JSON.parse(text) as { error?: { message?: unknown; hint?: unknown } | string };
    if (typeof error === 'string') return { message: error };
    const textOf = (value: unknown) => (typeof value === 'string' ? value : undefined);
    return { message: textOf(error?.message), hint: textOf(error?.hint) };
  } catch {
    return { message: undefined };
  }
}
