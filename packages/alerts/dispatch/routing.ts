import { createHash } from 'node:crypto';
import { type AlertmanagerConfig, parseAlertmanagerConfig } from '#alerts/routing/config.ts';
import type { InhibitRule } from '#alerts/routing/inhibition.ts';
import type { Receiver } from '#alerts/routing/receiver.ts';
import { deliveredSettings } from '#alerts/routing/receiver-settings.ts';
import { buildRouteTree, type Route } from '#alerts/routing/route-tree.ts';
import type { TimeIntervals } from '#alerts/routing/time-interval.ts';

/** The kinds of integrations that something is delivered to: `webhook_configs`, ... */
export type DeliveredKind = keyof typeof deliveredSettings;

/** One place that a receiver's notifications go to. */
export interface IntegrationRef {
  /** `webhook_configs/0`: unique in its receiver. */
  readonly id: string;
  readonly kind: DeliveredKind;
  readonly index: number;
  readonly sendResolved: boolean;
}

/** An Alertmanager configuration as dispatching uses it. */
export interface Routing {
  /** Changes with the configuration: then every alert is routed anew. */
  readonly configId: string;
  readonly config: AlertmanagerConfig;
  readonly text: string;
  readonly tree: Route;
  readonly integrations: ReadonlyMap<string, readonly IntegrationRef[]>;
  readonly inhibitRules: readonly InhibitRule[];
  readonly timeIntervals: TimeIntervals;
}

/** What holds where nobody configured anything: alerts are kept and shown, and nobody is told. */
export const DEFAULT_ROUTING_TEXT = 'route:\n  receiver: nobody\nreceivers:\n  - name: nobody\n';

/** Reads a configuration for dispatching; `input` as parseAlertmanagerConfig. */
export function compileRouting(text: string): Routing {
  const config = parseAlertmanagerConfig(text);
  return {
    configId: createHash('sha256').update(text).digest('hex').slice(0, 16),
    config,
    text,
    tree: buildRouteTree(config.route),
    integrations: new Map(config.receivers.map((receiver) => [receiver.name, listIntegrations(receiver)])),
    inhibitRules: config.inhibitRules,
    timeIntervals: config.timeIntervals,
  };
}

function listIntegrations(receiver: Receiver): IntegrationRef[] {
  const kinds = Object.keys(deliveredSettings) as DeliveredKind[];
  return kinds.flatMap((kind) => {
    const own = receiver[kind] as readonly { readonly send_resolved?: boolean }[];
    return own.map(({ send_resolved }, index) => ({ id: `${kind}/${index}`, kind, index, sendResolved: send_resolved !== false }));
  });
}
