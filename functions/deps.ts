import { randomBytes } from 'node:crypto';
import type { AlertObserver } from '#alerts/alert-observer.ts';
import { type Config, tenantRules, tenantSettings } from '#config/load-config.ts';
import type { Clock } from '#core/time.ts';
import type { IngestDeps, IngestObserver, IngestTenant } from '#ingest/ingest-samples.ts';
import { compilePipeline } from '#ingest/pipeline/pipeline.ts';
import { readDroppedRanges } from '#ingest/run-aggregation.ts';
import type { BackupPlaces } from '#ports/backup-places.ts';
import type { Blobs } from '#ports/blobs.ts';
import type { Bus } from '#ports/bus.ts';
import type { EventTargets } from '#ports/event-targets.ts';
import type { Mail } from '#ports/mail.ts';
import type { RunningConfiguration } from '#ports/running-configuration.ts';
import type { SampleSource } from '#ports/sample-source.ts';
import type { Table } from '#ports/table.ts';
import type { Topics } from '#ports/topics.ts';
import type { Uploads } from '#ports/uploads.ts';
import { findAggregatedDays } from '#storage/aggregated-days.ts';
import { createSampleStore } from '#storage/append.ts';
import { createMetadataStore } from '#storage/metadata.ts';
import type { ReadCache } from '#storage/read-cache.ts';
import { createSampleSource } from '#storage/sample-source.ts';
import { namespaceOf, ownerOf, type StorageDeps } from '#storage/storage-deps.ts';

/** The world, by whichever adapters. */
export interface Ports {
  readonly blobs: Blobs;
  readonly table: Table;
  readonly bus: Bus;
  readonly uploads: Uploads;
}

/** What differs between one machine and Lambda. */
export interface RunOptions {
  readonly now: Clock;
  readonly observer: IngestObserver;
  readonly cache: ReadCache;
  readonly inlineBytes: number;
  readonly graceMs: number;
  readonly pause: () => Promise<void>;
  readonly externalUrl: string;
  readonly allowPrivateTargets: boolean;
}

/** Everything that functions and routes are made of. */
export interface FunctionDeps extends Ports {
  readonly now: Clock;
  readonly newId: () => string;
  readonly config: Config;
  readonly storage: StorageDeps;
  readonly source: SampleSource;
  readonly ingest: IngestDeps;
  /** Where people reach this installation; in alerts and notifications. */
  readonly externalUrl: string;
  /** Notifications may go to private and loopback addresses. */
  readonly allowPrivateTargets: boolean;
  /** What notifications go by beside HTTP, where there is any. */
  readonly mail?: Mail | undefined;
  readonly topics?: Topics | undefined;
  readonly eventTargets?: EventTargets | undefined;
  /** Where backups come from and go to, where that is more than AWS. */
  readonly places?: BackupPlaces | undefined;
  /** Where AWS can be asked what configurations name. */
  readonly running?: RunningConfiguration | undefined;
  readonly alertObserver?: AlertObserver | undefined;
  /** How long a call may still take, where that is bounded. */
  readonly remainingMs?: (() => number) | undefined;
}

/** Puts the domains together over the given ports. */
export function createDeps(ports: Ports, config: Config, options: RunOptions): FunctionDeps {
  const { now } = options;
  const storage: StorageDeps = {
    blobs: ports.blobs,
    table: ports.table,
    now,
    newId,
    cache: options.cache,
    settings: (namespace) => storageSettings(config, namespace),
    namespaces: (tenant) => namespacesOf(config, tenant),
    inlineBytes: options.inlineBytes,
    graceMs: options.graceMs,
    pause: options.pause,
    droppedRanges: (namespace) => readDroppedRanges(ports.table, ownerOf(namespace), tenantRules(config, ownerOf(namespace)), now()),
  };
  const store = createSampleStore(storage);
  const metadata = createMetadataStore(ports.table);
  const ingest: IngestDeps = {
    store,
    metadata,
    tenant: rememberTenants(config),
    observer: options.observer,
    now,
    newId,
    findRefusedDays: ({ tenant, retentionClass }, dates) => findAggregatedDays(storage, namespaceOf(tenant, retentionClass), dates),
  };
  const { externalUrl, allowPrivateTargets } = options;
  return { ...ports, now, newId, config, storage, source: createSampleSource(storage), ingest, externalUrl, allowPrivateTargets };
}

/** 96 random bits, in letters and digits. */
export function newId(): string {
  return randomBytes(12).toString('hex');
}

function storageSettings(config: Config, namespace: string) {
  const [tenant, retentionClass] = namespace.split('!', 2) as [string, string | undefined];
  const { retentionMs, retentionClasses, segmentShards } = tenantSettings(config, tenant);
  return { retentionMs: (retentionClass && retentionClasses.get(retentionClass)) || retentionMs, segmentShards };
}

function namespacesOf(config: Config, tenant: string): string[] {
  const classes = [...tenantSettings(config, tenant).retentionClasses.keys()];
  return [tenant, ...classes.map((retentionClass) => namespaceOf(tenant, retentionClass))];
}

/** A tenant's pipeline is compiled once: it remembers what its rules make of each series. */
function rememberTenants(config: Config): (name: string) => IngestTenant {
  const known = new Map<string, IngestTenant>();
  return (name) => {
    let tenant = known.get(name);
    if (!tenant) {
      const { ingestLimits, keepUtf8Names } = tenantSettings(config, name);
      const rules = tenantRules(config, name);
      const pipeline = rules.length > 0 ? compilePipeline(name, rules, config.tables) : undefined;
      tenant = { limits: ingestLimits, pipeline, keepUtf8Names };
      known.set(name, tenant);
    }
    return tenant;
  };
}
