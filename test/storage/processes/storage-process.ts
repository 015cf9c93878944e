import { setImmediate, setTimeout as sleep } from 'node:timers/promises';
import { authenticateByTokens } from '#api/auth.ts';
import { createApi } from '#api/create-api.ts';
import { ingestGroups } from '#api/ingest/groups.ts';
import { createDynamoClient, createS3Client } from '#aws/clients.ts';
import { createDynamoTable } from '#aws/dynamo-table.ts';
import { createS3Blobs } from '#aws/s3-blobs.ts';
import { loadConfig } from '#config/load-config.ts';
import { HOUR_MS, MINUTE_MS } from '#core/time.ts';
import { createDeps } from '#functions/deps.ts';
import { loadFunction } from '#functions/registry.ts';
import type { Blobs } from '#ports/blobs.ts';
import type { Table } from '#ports/table.ts';
import { createReadCache } from '#storage/read-cache.ts';
import { readRaw, readTier } from '#test/storage/model.ts';
import { seededRandom } from '#test/storage/seeded-random.ts';
import { openClock } from './clock-file.ts';
import { type Command, type Commands, METRICS, type ProcessSettings, type Reply, TENANT } from './commands.ts';

// A process of its own until it is killed: does what its parent tells it, with the functions and adapters of a deployment, on a clock
// that is a little wrong, and pauses between any two calls.

const settings = JSON.parse(process.argv[2] as string) as ProcessSettings;
const random = seededRandom(settings.seed);
const clock = openClock(settings.clockPath, settings.skewMs);
const access = { region: 'us-east-1', credentials: settings.credentials };
const tables = createDynamoTable({
  client: createDynamoClient({ ...access, endpoint: settings.endpoints.dynamo }),
  tableName: settings.table,
});
const objects = createS3Blobs({ client: createS3Client({ ...access, endpoint: settings.endpoints.s3 }), bucket: settings.bucket });

/** Mostly none, at times as long as many calls. */
async function pause(): Promise<void> {
  const turn = random();
  if (turn < 0.6) await setImmediate();
  else await sleep(turn < 0.96 ? random() * 6 : random() * 120);
}

function paused<T extends object>(port: T): T {
  const calls = Object.entries(port).map(([name, call]) => [
    name,
    async (...args: readonly unknown[]) => {
      await pause();
      const outcome = await (call as (...args: readonly unknown[]) => Promise<unknown>)(...args);
      await pause();
      return outcome;
    },
  ]);
  return Object.fromEntries(calls) as T;
}

/** Objects were written when the shared clock showed something else than the store's. */
const blobs: Blobs = paused({
  ...objects,
  async list(...args: Parameters<Blobs['list']>) {
    const page = await objects.list(...args);
    return { ...page, entries: page.entries.map((entry) => ({ ...entry, modifiedAtMs: clock.shownAt(entry.modifiedAtMs) })) };
  },
});
const table: Table = paused({
  ...tables,
  async put(item, condition) {
    if (settings.heedsLeases || item.pk !== 'lease') await tables.put(item, condition);
  },
} satisfies Table);

const unneeded = () => Promise.reject(new Error('nothing here needs this port'));
const retention = `tenants: { ${TENANT}: { retention: { hot: 2d, warm: 30d, cold: 400d }, ingest: { segmentShards: 2 } } }`;
const config = await loadConfig({
  readFile: async (path) => (path === 'tenants.yaml' ? retention : undefined),
  list: async () => ['tenants.yaml'],
});
const deps = createDeps({ blobs, table, bus: { publish: unneeded }, uploads: { presign: unneeded } }, config, {
  now: clock.now,
  observer: { samples() {}, rejected() {}, exemplars() {}, rule() {} },
  cache: createReadCache(8 * 1024 * 1024),
  inlineBytes: 350,
  graceMs: 10 * MINUTE_MS,
  pause: async () => void (await setImmediate()),
  externalUrl: '',
  allowPrivateTargets: false,
});
const grant = { token: 'token', tenant: TENANT, scopes: new Set(['ingest'] as const) };
const defects: string[] = [];
const api = createApi(
  {
    authenticate: authenticateByTokens([grant]),
    newId: deps.newId,
    now: deps.now,
    observe() {},
    report: (error) => defects.push(String(error)),
  },
  ingestGroups(deps),
);

const handlers: { readonly [K in keyof Commands]: (input: Commands[K]['input']) => Promise<Commands[K]['output']> } = {
  async append({ path, headers, body }) {
    const answer = await api.request(path, { method: 'POST', headers: { ...headers, authorization: 'Bearer token' }, body });
    if (answer.status === 503) throw Object.assign(new Error(await answer.text()), { kind: 'unavailable' });
    if (answer.status !== 204) throw new Error(`${path} answers ${answer.status}: ${await answer.text()} ${defects}`);
  },
  run: async ({ name, event }) => (await loadFunction(name))(deps, event),
  async readRaw({ backMs }) {
    const startMs = clock.now() - backMs;
    const samples = await readRaw(deps.storage, METRICS, startMs, clock.now() + HOUR_MS);
    const keptSinceMs = clock.now() - deps.storage.settings(TENANT).retentionMs.hot;
    return { samples, fromMs: Math.max(startMs, keptSinceMs) };
  },
  readTier: ({ tier, startMs }) => readTier(deps.storage, tier, METRICS, startMs, clock.now() + HOUR_MS),
};

async function obey({ number, name, input }: Command): Promise<Reply> {
  try {
    return { number, output: await handlers[name](input as never) };
  } catch (error) {
    const { kind = 'defect', message, stack } = error as Error & { kind?: string };
    return { number, failure: { kind, message: kind === 'defect' ? (stack ?? message) : message } };
  }
}

process.on('message', async (command: Command) => process.send?.(await obey(command)));
process.on('disconnect', () => process.exit());
process.send?.({ number: 0 } satisfies Reply);
