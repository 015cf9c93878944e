import { randomBytes } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { compressSync } from 'snappy';
import { authenticateByTokens, type Scope } from '#api/auth.ts';
import { createApi } from '#api/create-api.ts';
import { apiGroups } from '#api/groups.ts';
import { loadConfig } from '#config/load-config.ts';
import { createMetricRegistry, type MetricRegistry } from '#core/metrics.ts';
import { apiDomains } from '#functions/api-domains.ts';
import { createDeps, type FunctionDeps } from '#functions/deps.ts';
import { asOf } from '#functions/lambda.ts';
import { functionNames, loadFunction } from '#functions/registry.ts';
import { subscriptions } from '#functions/subscriptions.ts';
import { createLocalUploads, verifyTicket } from '#local/local-uploads.ts';
import { uploadRoutes } from '#local/upload-route.ts';
import type { BackupPlaces } from '#ports/backup-places.ts';
import { createMemoryBlobs } from '#ports/memory/memory-blobs.ts';
import { createMemoryBus } from '#ports/memory/memory-bus.ts';
import { createMemoryTable } from '#ports/memory/memory-table.ts';
import { createReadCache } from '#storage/read-cache.ts';
import { encodeWriteRequest, type WireSeries } from '#test/ingest/proto-writer.ts';

export const NOW = Date.parse('2026-11-23T12:00:00Z');

export interface WholeApiOptions {
  /** Configuration files by name. */
  readonly config?: Readonly<Record<string, string>>;
  /** `token=tenant:scope+scope`; without any, everybody is tenant `default`. */
  readonly tokens?: readonly string[];
  /** Where backups come from and go to. */
  readonly places?: BackupPlaces;
}

export interface Ask {
  readonly method?: string;
  readonly token?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array | ReadableStream<Uint8Array> | URLSearchParams;
}

export interface Told {
  readonly status: number;
  readonly text: string;
  readonly headers: Headers;
}

export interface WholeApi {
  readonly deps: FunctionDeps;
  /** What /metrics shows. */
  readonly registry: MetricRegistry;
  readonly fetch: (request: Request) => Response | Promise<Response>;
  /** Defects that were reported: none, whatever a client sends. */
  readonly defects: readonly unknown[];
  /** Sends a request; POST where there is a body. */
  ask(path: string, ask?: Ask): Promise<Told>;
  /** The series that an instant query gives, as JSON of their labels, in order; fails where it is no success. */
  series(query: string, ask?: Ask): Promise<string[]>;
  /** Waits for the functions that events have started. */
  settle(): Promise<void>;
}

/** Everything that the embedded server serves, over memory, at a time that stands still. */
export async function createWholeApi({ config: files = {}, tokens = [], places }: WholeApiOptions = {}): Promise<WholeApi> {
  const config = await loadConfig({ readFile: async (path) => files[path], list: async () => Object.keys(files) });
  const now = () => NOW;
  const clock = { clock: now };
  const [blobs, table, bus] = [createMemoryBlobs(clock), createMemoryTable(clock), createMemoryBus(clock)];
  const secret = randomBytes(32);
  const ports = { blobs, table, bus, uploads: createLocalUploads({ secret, url: '/uploads', clock: now }) };
  const cache = createReadCache(32 * 1024 * 1024);
  const pause = async () => void (await setImmediate());
  const observer = { samples() {}, rejected() {}, exemplars() {}, rule() {} };
  const place = { externalUrl: 'http://127.0.0.1:4318', allowPrivateTargets: false };
  const made = createDeps(ports, config, { now, observer, cache, inlineBytes: 4096, graceMs: 150_000, pause, ...place });
  const deps: FunctionDeps = { ...made, places };
  const invoke = async (name: string, event: Readonly<Record<string, unknown>>) => (await loadFunction(name))(asOf(deps, event), event);
  for (const { pattern, function: target } of subscriptions)
    bus.subscribe(pattern, async (event) => void (await invoke(target, { 'detail-type': event.detailType, detail: event.detail })));
  const defects: unknown[] = [];
  const registry = createMetricRegistry();
  const app = createApi(
    {
      authenticate: authenticateByTokens(tokens.map(parseToken)),
      newId: deps.newId,
      now,
      observe() {},
      report: (error) => void defects.push(error),
    },
    [
      ...apiGroups({
        ...apiDomains(deps),
        invoke,
        functionNames,
        isShared: tokens.length > 0,
        registry,
      }),
      {
        scope: 'open',
        routes: uploadRoutes({
          bus,
          now,
          verifyTicket: (fields) => verifyTicket(secret, fields, NOW),
          async putStream(key, body) {
            const chunks: Uint8Array[] = [];
            for await (const chunk of body) chunks.push(chunk);
            return blobs.put(key, Buffer.concat(chunks));
          },
        }),
      },
    ],
  );
  const ask = async (path: string, { method, token, headers = {}, body }: Ask = {}): Promise<Told> => {
    const authorization: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };
    const response = await app.request(path, {
      method: method ?? (body === undefined ? 'GET' : 'POST'),
      headers: { ...authorization, ...headers },
      ...(body === undefined ? {} : { body: body instanceof Uint8Array ? new Uint8Array(body) : body, duplex: 'half' }),
    });
    return { status: response.status, text: await response.text(), headers: response.headers };
  };
  return {
    deps,
    registry,
    fetch: app.fetch,
    defects,
    ask,
    async series(query, options = {}) {
      const { status, text } = await ask('/api/v1/query', { ...options, body: new URLSearchParams({ query }) });
      if (status !== 200) throw new Error(text);
      const { data } = JSON.parse(text) as { data: { result: { metric: Record<string, string> }[] } };
      return data.result.map(({ metric }) => JSON.stringify(metric)).sort();
    },
    settle: () => bus.settle(),
  };
}

function parseToken(text: string) {
  const [, token = '', tenant = '', scopes = ''] = /^(.+)=(.+):(.*)$/.exec(text) ?? [];
  return { token, tenant, scopes: new Set(scopes.split('+') as Scope[]) };
}

/** A remote-write request 1.0 of these series. */
export function remoteWrite(series: readonly WireSeries[]): Pick<Ask, 'headers' | 'body'> {
  return {
    headers: { 'content-type': 'application/x-protobuf', 'content-encoding': 'snappy' },
    body: compressSync(Buffer.from(encodeWriteRequest(series))),
  };
}
