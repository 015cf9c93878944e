import * as z from 'zod';
import { defaultIngestLimits, type IngestLimits } from '#ingest/limits.ts';
import { durationField, strictFields } from '#model/strict-fields.ts';
import { defaultRetentionMs, type Tier } from '#model/tier.ts';
import type { SelectLimits } from '#ports/sample-source.ts';
import { tenantName, tenantNameRule } from './tenant-name.ts';

export type Retention = Readonly<Record<Tier, number>>;

/** Limits of one query, its time included. */
export interface QueryLimits extends SelectLimits {
  readonly timeoutMs: number;
}

/** Everything that is set for one tenant. */
export interface Tenant {
  readonly name: string;
  readonly retentionMs: Retention;
  /** Retentions that routes may name instead of the tenant's own. */
  readonly retentionClasses: ReadonlyMap<string, Retention>;
  readonly ingestLimits: IngestLimits;
  readonly queryLimits: QueryLimits;
  /** Names as OTLP sends them, dots and all, instead of Prometheus' translation. */
  readonly keepUtf8Names: boolean;
  /** Partitions that a day's segments are spread over. */
  readonly segmentShards: number;
}

const retentionFields = strictFields({
  hot: durationField('1d', '100y').optional(),
  warm: durationField('1d', '100y').optional(),
  cold: durationField('1d', '100y').optional(),
});

const count = (most: number) => z.int().min(1).max(most).optional();

const tenantFields = strictFields({
  retention: retentionFields.optional(),
  retentionClasses: z
    .record(
      z.string().regex(tenantName, 'a retention class is named like a tenant: letters, digits, dots, dashes, underscores'),
      retentionFields,
    )
    .optional(),
  limits: strictFields({
    maxLabels: count(1_000),
    maxNameBytes: count(65_536),
    maxValueBytes: count(1_048_576),
    maxAhead: durationField('0', '1y').optional(),
    querySeries: count(10_000_000),
    querySamples: count(10_000_000_000),
    queryBytes: count(1_099_511_627_776),
    queryTimeout: durationField('1s', '15m').optional(),
  }).optional(),
  ingest: strictFields({ keepUtf8Names: z.boolean().optional(), segmentShards: count(256) }).optional(),
});
type TenantFields = z.infer<typeof tenantFields>;

/** tenants.yaml: `defaults` for all, `tenants` by name. An empty entry (`team-a:`) has the defaults. */
export const TenantsFile = strictFields({
  defaults: tenantFields.optional(),
  tenants: z.record(z.string().regex(tenantName, tenantNameRule), tenantFields.nullable()).optional(),
}).superRefine((file, context) => {
  const defaults = buildTenant('', file.defaults ?? {}, builtIn);
  checkRetentions(defaults, ['defaults'], context);
  for (const [name, fields] of Object.entries(file.tenants ?? {})) {
    checkRetentions(buildTenant(name, fields ?? {}, defaults), ['tenants', name], context);
  }
});
export type TenantsFile = z.infer<typeof TenantsFile>;

const builtIn: Tenant = {
  name: '',
  retentionMs: defaultRetentionMs,
  retentionClasses: new Map(),
  ingestLimits: defaultIngestLimits,
  queryLimits: { maxSeries: 500_000, maxSamples: 50_000_000, maxBytes: 4 * 1024 ** 3, timeoutMs: 120_000 },
  keepUtf8Names: false,
  segmentShards: 4,
};

/** The tenants by name, and what holds for one that the file does not name. `default` is always there. */
export function buildTenants(file: TenantsFile): { readonly tenants: ReadonlyMap<string, Tenant>; readonly defaults: Tenant } {
  const defaults = buildTenant('', file.defaults ?? {}, builtIn);
  const tenants = new Map([['default', { ...defaults, name: 'default' }]]);
  for (const [name, fields] of Object.entries(file.tenants ?? {})) tenants.set(name, buildTenant(name, fields ?? {}, defaults));
  return { tenants, defaults };
}

function buildTenant(name: string, { retention, retentionClasses, limits = {}, ingest = {} }: TenantFields, base: Tenant): Tenant {
  const retentionMs = buildRetention(retention, base.retentionMs);
  const classes = new Map(base.retentionClasses);
  for (const [key, fields] of Object.entries(retentionClasses ?? {})) classes.set(key, buildRetention(fields, retentionMs));
  const { ingestLimits, queryLimits } = base;
  return {
    name,
    retentionMs,
    retentionClasses: classes,
    ingestLimits: {
      ...ingestLimits,
      maxLabels: limits.maxLabels ?? ingestLimits.maxLabels,
      maxNameBytes: limits.maxNameBytes ?? ingestLimits.maxNameBytes,
      maxValueBytes: limits.maxValueBytes ?? ingestLimits.maxValueBytes,
      maxAheadMs: limits.maxAhead ?? ingestLimits.maxAheadMs,
      maxAgeMs: retentionMs.hot,
    },
    queryLimits: {
      maxSeries: limits.querySeries ?? queryLimits.maxSeries,
      maxSamples: limits.querySamples ?? queryLimits.maxSamples,
      maxBytes: limits.queryBytes ?? queryLimits.maxBytes,
      timeoutMs: limits.queryTimeout ?? queryLimits.timeoutMs,
    },
    keepUtf8Names: ingest.keepUtf8Names ?? base.keepUtf8Names,
    segmentShards: ingest.segmentShards ?? base.segmentShards,
  };
}

function buildRetention(fields: z.infer<typeof retentionFields> | undefined, base: Retention): Retention {
  return { hot: fields?.hot ?? base.hot, warm: fields?.warm ?? base.warm, cold: fields?.cold ?? base.cold };
}

/** A coarser tier is made of the finer one and must outlive it, or there would be a hole between them. */
function checkRetentions(tenant: Tenant, path: string[], context: z.core.$RefinementCtx): void {
  const check = ({ hot, warm, cold }: Retention, at: string[]) => {
    if (warm < hot)
      context.addIssue({ code: 'custom', path: at, message: 'keeps warm for less time than hot; warm must be at least as long' });
    if (cold < warm)
      context.addIssue({ code: 'custom', path: at, message: 'keeps cold for less time than warm; cold must be at least as long' });
  };
  check(tenant.retentionMs, [...path, 'retention']);
  for (const [name, retention] of tenant.retentionClasses) check(retention, [...path, 'retentionClasses', name]);
}
