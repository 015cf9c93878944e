import { setImmediate } from 'node:timers/promises';
import { openConfigFolder } from '#config/config-folder.ts';
import type { Settings } from '#config/settings.ts';
import { createDeps, type FunctionDeps } from '#functions/deps.ts';
import { asOf } from '#functions/lambda.ts';
import { functionNames, loadFunction } from '#functions/registry.ts';
import { subscriptions } from '#functions/subscriptions.ts';
import { loadWholeConfig } from '#functions/whole-config.ts';
import { createReadCache } from '#storage/read-cache.ts';
import { openLocalPlaces } from './backup/places.ts';
import { type LocalPorts, openLocal } from './open.ts';
import { createOwnMetrics, type OwnMetrics } from './own-metrics.ts';
import { createSmtpMail } from './smtp-mail.ts';

const CACHE_BYTES = 160 * 1024 * 1024;
const INLINE_BYTES = 4 * 1024;
/** Longer than any query may take. */
const GRACE_MS = 150_000;

/** The domains and functions of this process on its data folder. */
export interface LocalApp {
  readonly ports: LocalPorts;
  readonly deps: FunctionDeps;
  readonly own: OwnMetrics;
  readonly invoke: (name: string, event: Readonly<Record<string, unknown>>) => Promise<unknown>;
  /** Tells where this process listens: alerts name it from then on, unless the settings name another address. */
  listensAt(url: string): void;
  /** Jobs that can be gone on with stop at the next good place. */
  stopJobs(): void;
  close(): Promise<void>;
}

/** Opens the data folder and puts everything together over it; nothing runs by itself yet. `onStored` is told of each request. */
export async function openApp(settings: Settings, onStored: () => void = () => {}): Promise<LocalApp> {
  const config = await loadWholeConfig(await openConfigFolder(settings.config));
  const cache = createReadCache(CACHE_BYTES);
  const own = createOwnMetrics(cache);
  const ports = await openLocal(settings.dataDir, Date.now, { onDeadLetter: own.observeDeadLetter });
  let isClosing = false;
  const made = createDeps(ports, config, {
    now: Date.now,
    observer: {
      ...own.ingest,
      samples(...counted) {
        own.ingest.samples(...counted);
        onStored();
      },
    },
    cache,
    inlineBytes: INLINE_BYTES,
    graceMs: GRACE_MS,
    pause: async () => void (await setImmediate()),
    externalUrl: settings.externalUrl ?? '',
    allowPrivateTargets: settings.allowPrivateTargets,
  });
  // A long job that can be continued stops at the next good place when the process is to end.
  const mail = createSmtpMail({ allowPrivate: settings.allowPrivateTargets });
  const source = own.observeSource(made.source);
  const remainingMs = () => (isClosing ? 0 : Number.POSITIVE_INFINITY);
  const deps: FunctionDeps = {
    ...made,
    mail,
    source,
    places: openLocalPlaces({ dataDir: settings.dataDir, config }),
    alertObserver: own.alerts,
    remainingMs,
  };
  let externalUrl = deps.externalUrl;
  const invoke: LocalApp['invoke'] = (name, event) =>
    observed(own, name, async () => (await loadFunction(name))(asOf({ ...deps, externalUrl }, event), event));
  // Whoever empties the outbox here starts what its events start: nobody else would.
  for (const { name, pattern, function: target } of subscriptions.filter((each) => functionNames.includes(each.function))) {
    ports.bus.subscribe({
      name,
      pattern,
      handle: async (event) => void (await invoke(target, { 'detail-type': event.detailType, detail: event.detail })),
    });
  }
  return {
    ports,
    deps,
    own,
    invoke,
    listensAt(url) {
      externalUrl = settings.externalUrl ?? url;
    },
    stopJobs() {
      isClosing = true;
    },
    async close() {
      isClosing = true;
      await ports.close();
    },
  };
}

async function observed<T>(own: OwnMetrics, name: string, run: () => Promise<T>): Promise<T> {
  const startMs = performance.now();
  let failed = true;
  try {
    const result = await run();
    failed = false;
    return result;
  } finally {
    own.observeFunction({ name, failed, seconds: (performance.now() - startMs) / 1_000 });
  }
}
