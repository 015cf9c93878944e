import * as z from 'zod';
import { MINUTE_MS } from '#core/time.ts';
import { durationField, strictFields } from '#model/strict-fields.ts';
import type { FreezeWindow } from './freeze-window.ts';

const name = z.string().min(1).max(200);
const labels = z.record(name, z.string().max(1_000));
const list = <T extends z.ZodType>(item: T) => z.array(item).min(1).max(50);

const KINDS = {
  /** One of the application's analyses, looked at each `interval` while the step holds. */
  analysis: name,
  /** Checks that CI has to have posted with success, by name or by kind (smoke, integration, performance, security, build). */
  checks: list(name),
  /** Alerts that must not fire: labels beside those of the application's `service`. */
  alerts: labels,
  /** Share of an SLO's error budget that has to be left, in percent. */
  sloBudget: strictFields({ slo: name, atLeast: z.number().min(0).max(100) }),
  /** Freeze windows of the application, by name. */
  freeze: list(name),
  /** People who have to say yes; anybody's where none is named. */
  approval: strictFields({ by: list(name).optional(), count: z.int().min(1).max(20).default(1) }),
  /** Somebody else's server: any 2xx opens. `failureLimit` other answers in a row are a failure. */
  webhook: strictFields({
    url: z.url({ protocol: /^https?$/, error: 'must be a URL of http or https' }).max(2_000),
    headers: z.record(z.string().regex(/^[A-Za-z0-9-]+$/, 'is no name of a header'), z.string().max(2_000)).default({}),
    timeout: durationField('100ms', '30s').default(10_000),
    failureLimit: z.int().min(1).max(1_000).default(5),
  }),
  /** Versions of these environments only: they have to have been promoted there. */
  promoted: list(name),
  /** What has to be known of the version. */
  artifact: list(z.enum(['digest', 'sbom'])),
} as const;
type Kind = keyof typeof KINDS;

const optional = Object.fromEntries(Object.entries(KINDS).map(([kind, schema]) => [kind, schema.optional()])) as unknown as {
  [K in Kind]: z.ZodOptional<(typeof KINDS)[K]>;
};

/** What has to hold before a step begins or ends. Exactly one kind, and what happens where it fails. */
export const GateField = strictFields({
  ...optional,
  /** Between two looks of an analysis, or two calls of a webhook; an analysis has its own, and a minute is what else there is. */
  interval: durationField('1s', '1d').optional(),
  /** What a gate does that is not merely shut but has failed: an alert fires, a check failed, a budget is spent, a webhook refuses. */
  otherwise: z.enum(['wait', 'rollback']).default('wait'),
}).superRefine((field, context) => {
  const given = (Object.keys(KINDS) as Kind[]).filter((kind) => field[kind] !== undefined);
  if (given.length === 1) return;
  context.addIssue({ code: 'custom', message: `takes exactly one of ${Object.keys(KINDS).join(', ')}; got ${given.join(', ') || 'none'}` });
});
export type GateField = z.infer<typeof GateField>;

/** A gate of one kind, with what it has where a file says nothing else. */
export function plainGate(kind: Pick<GateField, Kind>): GateField {
  return { otherwise: 'wait', ...kind };
}

interface GateBase {
  /** Unique in its release: `0/before/2`. */
  readonly key: string;
  /** What people call it: `analysis errors`. */
  readonly name: string;
  readonly intervalMs: number;
  readonly otherwise: 'wait' | 'rollback';
}

/** A gate as a release has it: it needs no look at the configuration any more. */
export type Gate = GateBase &
  (
    | { readonly kind: 'analysis'; readonly analysis: string }
    | { readonly kind: 'checks'; readonly checks: readonly string[] }
    | { readonly kind: 'alerts'; readonly labels: Readonly<Record<string, string>> }
    | { readonly kind: 'sloBudget'; readonly slo: string; readonly atLeast: number }
    | { readonly kind: 'freeze'; readonly windows: Readonly<Record<string, FreezeWindow>> }
    | { readonly kind: 'approval'; readonly by?: readonly string[] | undefined; readonly count: number }
    | {
        readonly kind: 'webhook';
        readonly url: string;
        readonly headers: Readonly<Record<string, string>>;
        readonly timeoutMs: number;
        readonly failureLimit: number;
      }
    | { readonly kind: 'promoted'; readonly environments: readonly string[] }
    | { readonly kind: 'artifact'; readonly needs: readonly ('digest' | 'sbom')[] }
  );

/** What gates refer to by name. */
export interface GateContext {
  readonly service: Readonly<Record<string, string>>;
  readonly freezes: Readonly<Record<string, FreezeWindow>>;
  /** Between two looks of an analysis, where it says. */
  readonly intervalOf: (analysis: string) => number | undefined;
}

/** A gate of the configuration as a release takes it along. */
export function toGate(field: GateField, key: string, { service, freezes, intervalOf }: GateContext): Gate {
  const { analysis, checks, alerts, sloBudget, freeze, approval, webhook, promoted, artifact, otherwise } = field;
  const own = analysis === undefined ? undefined : intervalOf(analysis);
  const base = { key, intervalMs: field.interval ?? own ?? MINUTE_MS, otherwise };
  if (analysis !== undefined) return { ...base, kind: 'analysis', name: `analysis ${analysis}`, analysis };
  if (checks !== undefined) return { ...base, kind: 'checks', name: `checks ${checks.join(', ')}`, checks };
  if (alerts !== undefined) return { ...base, kind: 'alerts', name: 'alerts of the service', labels: { ...service, ...alerts } };
  if (sloBudget !== undefined) return { ...base, kind: 'sloBudget', name: `error budget of ${sloBudget.slo}`, ...sloBudget };
  if (freeze !== undefined) {
    const windows = Object.fromEntries(freeze.flatMap((name) => (freezes[name] ? [[name, freezes[name]]] : [])));
    return { ...base, kind: 'freeze', name: `freeze ${freeze.join(', ')}`, windows };
  }
  if (approval !== undefined) return { ...base, kind: 'approval', name: 'approval', ...approval };
  if (webhook !== undefined) {
    const { timeout: timeoutMs, url, headers, failureLimit } = webhook;
    return { ...base, kind: 'webhook', name: `webhook ${new URL(url).host}`, url, headers, timeoutMs, failureLimit };
  }
  if (promoted !== undefined) return { ...base, kind: 'promoted', name: `promoted in ${promoted.join(', ')}`, environments: promoted };
  return { ...base, kind: 'artifact', name: `artifact ${(artifact ?? []).join(', ')}`, needs: artifact ?? [] };
}
