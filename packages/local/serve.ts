import { type ServerType, serve } from '@hono/node-server';
import { readHostMetrics } from '#agent/host-metrics.ts';
import { type SelfTelemetry, startSelfTelemetry } from '#agent/self-telemetry.ts';
import { authenticateByTokens } from '#api/auth.ts';
import { createApi } from '#api/create-api.ts';
import { apiGroups } from '#api/groups.ts';
import type { Settings } from '#config/settings.ts';
import { OpsError } from '#core/errors.ts';
import { HOUR_MS } from '#core/time.ts';
import { compileAlerting } from '#functions/alerting.ts';
import { apiDomains } from '#functions/api-domains.ts';
import type { FunctionDeps } from '#functions/deps.ts';
import { functionNames } from '#functions/registry.ts';
import { schedules } from '#functions/schedules.ts';
import { ingestSamples } from '#ingest/ingest-samples.ts';
import type { EventPattern } from '#ports/bus.ts';
import { endLeases } from '#ports/lease.ts';
import { startAlertLoop } from './alert-loop.ts';
import { type LocalApp, openApp } from './app.ts';
import { createCompactionNudge } from './compaction-nudge.ts';
import type { LocalPorts } from './open.ts';
import { createScheduler, type Scheduler } from './scheduler.ts';
import { systemTimers } from './timers.ts';
import { uploadRoutes } from './upload-route.ts';

const commits: EventPattern = { source: ['quarterdeck.storage'], 'detail-type': ['Block Committed'] };

/** For the largest upload over a slow line; headers have their own, shorter time. */
const REQUEST_TIMEOUT_MS = 6 * HOUR_MS;

export interface LocalServer {
  readonly url: string;
  /** Lets requests and functions under way finish, then lets go of the files. */
  close(): Promise<void>;
}

/** Runs everything in this process: the API, the functions on their schedules, the bus. `log` takes lines for the operator. */
export async function startServer(settings: Settings, log: (line: string) => void): Promise<LocalServer> {
  const nudge = createCompactionNudge(systemTimers, async () => {
    await local.invoke('storage-compact', {}).catch((error) => log(`compaction: ${error instanceof Error ? error.message : error}`));
  });
  const local = await openApp(settings, () => settings.schedules && nudge.stored());
  const { deps, ports, own, invoke } = local;
  for (const note of (await compileAlerting(deps.config)).notes) log(note);
  const app = createApi(
    {
      authenticate: authenticateByTokens(settings.tokens),
      newId: deps.newId,
      now: deps.now,
      observe: own.observeRequest,
      report: (error, requestId) => log(`request ${requestId}: ${error instanceof Error ? error.stack : error}`),
    },
    [
      ...apiGroups({
        ...apiDomains(deps),
        invoke,
        functionNames,
        isShared: settings.tokens.length > 0,
        registry: own.registry,
      }),
      { scope: 'open', routes: uploadRoutes({ ...ports, now: deps.now }) },
    ],
  );
  ports.bus.subscribe({ name: 'own-metrics', pattern: commits, handle: async (event) => own.observeCommit(event) });
  const { server, url } = await listen(app.fetch, settings);
  local.listensAt(url);
  // Before anything here takes one.
  if (settings.schedules) await endLeases(ports.table);
  await ports.bus.resume();
  const scheduler = settings.schedules ? await startScheduler(ports, deps, invoke, log) : undefined;
  const alerts = settings.schedules ? startAlertLoop(systemTimers, () => runEach(alertFunctions, invoke, log)) : undefined;
  // Apart from alerts: a driver that does not answer keeps none of them waiting.
  const releases = settings.schedules ? startAlertLoop(systemTimers, () => runEach(releaseFunctions, invoke, log)) : undefined;
  const telemetry = settings.self ? startTelemetry(local, new URL(url).host, log) : undefined;
  return {
    url,
    async close() {
      // Before anybody waits for what runs.
      local.stopJobs();
      nudge.stop();
      await telemetry?.stop();
      await closeServer(server);
      await alerts?.stop();
      await releases?.stop();
      await scheduler?.stop();
      await local.close();
    },
  };
}

/** What the loops run each second, in place of their schedules. */
const alertFunctions: readonly string[] = ['alerts-evaluate', 'alerts-dispatch', 'alerts-deliver'];
const releaseFunctions: readonly string[] = ['releases-advance', 'releases-answer'];
const looped = new Set([...alertFunctions, ...releaseFunctions]);

/** One after the other: what a rule finds is told in the same second. */
async function runEach(names: readonly string[], invoke: Invoke, log: (line: string) => void): Promise<void> {
  for (const name of names) {
    await invoke(name, {}).catch((error) => log(`${name}: ${error instanceof Error ? error.message : error}`));
  }
}

type Invoke = (name: string, event: Readonly<Record<string, unknown>>) => Promise<unknown>;

/** The host and this process as targets of tenant `default`, with no scrape in between. */
function startTelemetry({ deps, own }: LocalApp, instance: string, log: (line: string) => void): SelfTelemetry {
  return startSelfTelemetry({
    targets: [
      { job: 'node', collect: () => readHostMetrics(deps.now()) },
      { job: 'quarterdeck', collect: async () => own.registry.collect() },
    ],
    instance,
    async store(samples) {
      const decoded = { ...samples, rejections: [], exemplars: 0, stampedAtReceipt: true };
      await ingestSamples(deps.ingest, { tenant: 'default', protocol: 'self', decoded });
    },
    now: deps.now,
    onFailure: (error) => log(`self-telemetry: ${error instanceof Error ? error.message : error}`),
  });
}

async function startScheduler(ports: LocalPorts, deps: FunctionDeps, invoke: Invoke, log: (line: string) => void): Promise<Scheduler> {
  const scheduler = createScheduler({
    standing: schedules.filter(({ function: name }) => functionNames.includes(name) && !looped.has(name)),
    schedules: ports.schedules,
    table: ports.table,
    clock: deps.now,
    timers: systemTimers,
    invoke: async (name, { at, ...input }) => void (await invoke(name, { ...input, scheduledAt: at })),
    onFailure: ({ schedule, error }) => log(`schedule ${schedule?.name ?? '(all)'}: ${error instanceof Error ? error.message : error}`),
  });
  await scheduler.start();
  return scheduler;
}

function listen(
  fetch: (request: Request) => Response | Promise<Response>,
  { port, host }: Settings,
): Promise<{ server: ServerType; url: string }> {
  return new Promise((resolve, reject) => {
    const server = serve({ fetch, port, hostname: host, serverOptions: { requestTimeout: REQUEST_TIMEOUT_MS } }, (info) => {
      resolve({ server, url: `http://${host.includes(':') ? `[${host}]` : host}:${info.port}` });
    });
    server.on('error', (error: NodeJS.ErrnoException) => reject(cannotListen(error, host, port)));
  });
}

/** What the settings can mend, said by their names; anything else as it came. */
function cannotListen(error: NodeJS.ErrnoException, host: string, port: number): Error {
  if (error.code === 'EADDRINUSE') {
    return new OpsError('conflict', `PORT: ${port} of ${host} is taken by another process`, {
      hint: 'Another Quarterdeck, perhaps: stop it, or give this one another PORT and QUARTERDECK_DATA.',
      cause: error,
    });
  }
  if (error.code === 'EACCES') return new OpsError('denied', `PORT: ${port} may not be listened at by this user`, { cause: error });
  if (error.code === 'EADDRNOTAVAIL' || error.code === 'ENOTFOUND') {
    return new OpsError('input', `HOST: ${host} is no address of this machine`, { cause: error });
  }
  return error;
}

function closeServer(server: ServerType): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    if ('closeIdleConnections' in server) server.closeIdleConnections();
  });
}
