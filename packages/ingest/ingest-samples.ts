import { createHash } from 'node:crypto';
import { mapConcurrent } from '#core/batch.ts';
import type { Clock } from '#core/time.ts';
import type { MetricMetadata } from '#ports/sample-source.ts';
import type { SampleStore } from '#ports/sample-store.ts';
import { rejectByAge } from './age.ts';
import type { Decoded } from './decoded.ts';
import type { IngestLimits } from './limits.ts';
import { type Pipeline, type PipelineOutput, type RuleCounts, runPipeline } from './pipeline/pipeline.ts';
import { type FindRefusedDays, refuseDays } from './refuse-days.ts';
import { requestId } from './request-id.ts';

/** What ingest is told about a tenant. */
export interface IngestTenant {
  readonly limits: IngestLimits;
  readonly pipeline: Pipeline | undefined;
  /** OTLP names as they come, instead of Prometheus' translation. */
  readonly keepUtf8Names: boolean;
}

/** Counted for self-telemetry. */
export interface IngestObserver {
  samples(protocol: string, tenant: string, count: number): void;
  rejected(protocol: string, tenant: string, reason: string, count: number): void;
  exemplars(protocol: string, tenant: string, count: number): void;
  rule(tenant: string, counts: RuleCounts): void;
}

export interface IngestDeps {
  readonly store: SampleStore;
  readonly metadata: { put(tenant: string, metadata: readonly MetricMetadata[]): Promise<void> };
  readonly tenant: (name: string) => IngestTenant;
  readonly observer: IngestObserver;
  readonly now: Clock;
  readonly newId: () => string;
  /** Asked of history only; without it every day takes samples. */
  readonly findRefusedDays?: FindRefusedDays | undefined;
}

export interface IngestInput {
  readonly tenant: string;
  /** `remote-write`, `otlp`, ...: for counting. */
  readonly protocol: string;
  readonly decoded: Decoded;
  /** Imports may be older than raw retention: back to 1970, but for days that take no more. */
  readonly isHistory?: boolean | undefined;
}

const OUTPUTS_AT_ONCE = 4;

/**
 * Takes decoded samples through the tenant's pipeline into the store. Durable when it resolves; what comes back is what was
 * taken and what was left out, for the protocol's own answer. A repeat of the same request is recognised and stored once.
 */
export async function ingestSamples(deps: IngestDeps, input: IngestInput): Promise<Decoded> {
  const { tenant, protocol, isHistory } = input;
  const { limits, pipeline } = deps.tenant(tenant);
  const ageLimits = isHistory ? { ...limits, maxAgeMs: deps.now() } : limits;
  const decoded = rejectByAge(input.decoded, { nowMs: deps.now(), limits: ageLimits });
  const result = pipeline ? runPipeline(pipeline, decoded.batch) : undefined;
  const routed: readonly PipelineOutput[] = result?.outputs ?? [{ tenant, batch: decoded.batch }];
  const { outputs, rejections } =
    isHistory && deps.findRefusedDays ? await refuse(deps.findRefusedDays, routed) : { outputs: routed, rejections: [] };
  const id = requestId(tenant, input.decoded.batch, decoded.stampedAtReceipt ? deps.newId() : undefined);
  await mapConcurrent(
    outputs.filter(({ batch }) => batch.ts.length > 0),
    OUTPUTS_AT_ONCE,
    (output) => deps.store.append({ ...output, id: output.tenant === tenant ? id : foreignId(tenant, id) }),
  );
  await deps.metadata.put(tenant, decoded.metadata);
  const answer = { ...decoded, rejections: [...decoded.rejections, ...(result?.rejections ?? []), ...rejections] };
  observe(deps.observer, tenant, protocol, answer, result?.counts ?? []);
  return answer;
}

async function refuse(find: FindRefusedDays, routed: readonly PipelineOutput[]) {
  const checked = await Promise.all(routed.map((output) => refuseDays(find, output)));
  return { outputs: checked.map(({ output }) => output), rejections: checked.flatMap(({ rejection }) => rejection ?? []) };
}

/** Two tenants routing equal requests to a third send different data. */
function foreignId(tenant: string, id: string): string {
  return createHash('sha256').update(`${tenant}/${id}`).digest('hex').slice(0, id.length);
}

function observe(observer: IngestObserver, tenant: string, protocol: string, decoded: Decoded, counts: readonly RuleCounts[]): void {
  observer.samples(protocol, tenant, decoded.batch.ts.length);
  if (decoded.exemplars > 0) observer.exemplars(protocol, tenant, decoded.exemplars);
  for (const { reason, count } of decoded.rejections) observer.rejected(protocol, tenant, reason, count);
  for (const rule of counts) observer.rule(tenant, rule);
}
