import { createDynamoClient, createS3Client } from '#aws/clients.ts';
import { createDynamoTable } from '#aws/dynamo-table.ts';
import { createS3Blobs, type S3Deps } from '#aws/s3-blobs.ts';
import { splitBlobs } from '#aws/split-blobs.ts';
import { readDeployment, readReach } from '#config/deployment.ts';
import { type Config, type ConfigFiles, loadConfig } from '#config/load-config.ts';
import { openPushedConfig, readVersion } from '#config/pushed-config.ts';
import { isOpsError, OpsError } from '#core/errors.ts';
import { type Clock, MINUTE_MS } from '#core/time.ts';
import type { Bus } from '#ports/bus.ts';
import type { RunningConfiguration } from '#ports/running-configuration.ts';
import type { Uploads } from '#ports/uploads.ts';
import { createReadCache } from '#storage/read-cache.ts';
import { createDeps, type FunctionDeps, type Ports } from './deps.ts';

/** What a function needs beyond bucket and table. What it does not ask for is not in its bundle. */
export interface AwsNeeds {
  readonly bus?: ((busName: string) => Promise<Bus>) | undefined;
  readonly uploads?: ((s3: S3Deps & { readonly clock: Clock }) => Promise<Uploads>) | undefined;
  /** Reads the configuration; what it refuses is not taken. Default: without the files of alerting. */
  readonly load?: ((files: ConfigFiles) => Promise<Config>) | undefined;
  /** What notifications go by beside HTTP. */
  readonly notifiers?: ((options: { allowPrivate: boolean }) => Promise<Notifiers>) | undefined;
  /** Where AWS is asked what configurations name. */
  readonly running?: (() => Promise<RunningConfiguration>) | undefined;
  /** Decoded data kept between invocations. Default: none. */
  readonly cacheBytes?: number | undefined;
}

type Notifiers = Pick<FunctionDeps, 'mail' | 'topics' | 'eventTargets'>;

/** What lies here is in the bucket of uploads. */
const IMPORTS = 'imports';
/** About the cheapest on DynamoDB; what is larger goes to S3. */
const INLINE_BYTES = 4_096;
/** Longer than any query may take. */
const GRACE_MS = 10 * MINUTE_MS;
/** A pushed configuration is in force everywhere after this. */
const CONFIG_CHECK_MS = 30_000;

/**
 * Opens the AWS adapters once, and gives the dependencies under the configuration in force: looked at again every half minute, and
 * left as it was where a new one does not load. `unavailable` where nothing can be had at all; the next call tries again.
 */
export function openAwsDeps(needs: AwsNeeds, now: Clock, log: (line: string) => void): () => Promise<FunctionDeps> {
  let opening: Promise<Ports> | undefined;
  let current: { readonly deps: FunctionDeps; readonly version: string } | undefined;
  let checkedAtMs = Number.NEGATIVE_INFINITY;
  let checking: Promise<FunctionDeps> | undefined;

  const check = async () => {
    try {
      opening ??= openPorts(needs, now);
      const ports = await opening;
      if (!current || (await readVersion(ports.table)) !== current.version) current = await loadDeps(ports, needs, now);
    } catch (error) {
      if (!current) throw asUnavailable(error);
      log(`the configuration stays ${current.version || 'the default'}: ${error instanceof Error ? error.message : error}`);
    }
    checkedAtMs = now();
    return current.deps;
  };

  return async () => {
    if (current && now() - checkedAtMs < CONFIG_CHECK_MS) return current.deps;
    checking ??= check().finally(() => {
      checking = undefined;
    });
    return checking;
  };
}

async function loadDeps(ports: Ports, needs: AwsNeeds, now: Clock): Promise<{ deps: FunctionDeps; version: string }> {
  const { version, files } = await openPushedConfig(ports);
  const reach = readReach();
  const deps = createDeps(ports, await (needs.load ?? loadConfig)(files), {
    now,
    observer: { samples() {}, rejected() {}, exemplars() {}, rule() {} },
    cache: createReadCache(needs.cacheBytes ?? 0),
    inlineBytes: INLINE_BYTES,
    graceMs: GRACE_MS,
    ...reach,
    pause: async () => {}, // one request at a time: nobody waits for a turn
  });
  const notifiers = await needs.notifiers?.({ allowPrivate: reach.allowPrivateTargets });
  return { deps: { ...deps, ...notifiers, running: await needs.running?.() }, version };
}

async function openPorts(needs: AwsNeeds, clock: Clock): Promise<Ports> {
  const { bucket, uploads, table, bus } = readDeployment();
  const client = createS3Client({});
  return {
    blobs: splitBlobs(IMPORTS, createS3Blobs({ client, bucket: uploads }), createS3Blobs({ client, bucket })),
    table: createDynamoTable({ client: createDynamoClient({}), tableName: table }),
    bus: needs.bus ? await needs.bus(bus) : { publish: () => Promise.reject(unneeded('bus')) },
    uploads: needs.uploads
      ? await needs.uploads({ client, bucket: uploads, clock })
      : { presign: () => Promise.reject(unneeded('uploads')) },
  };
}

function unneeded(port: string): Error {
  return new Error(`this function was opened without ${port}: name it in its needs`);
}

/** What is wrong with a deployment is no fault of whoever calls it. */
function asUnavailable(error: unknown): unknown {
  if (!isOpsError(error) || error.kind === 'unavailable') return error;
  return new OpsError('unavailable', `the function cannot start: ${error.message}`, { cause: error, hint: error.hint });
}
