import type { PlannedDelivery } from '#alerts/dispatch/plan-dispatch.ts';
import type { DeliveredKind, Routing } from '#alerts/dispatch/routing.ts';
import { composeNotification } from '#alerts/receivers/compose.ts';
import { type SendDeps, sendComposed } from '#alerts/receivers/send.ts';
import type { ReceiverSettings } from '#alerts/receivers/settings.ts';
import { judgeError, type Verdict } from '#alerts/receivers/verdict.ts';
import { createNotificationRenderer } from '#alerts/template/notification-template.ts';
import type { TemplateSet } from '#alerts/template/parse.ts';

export interface SendNotificationDeps extends SendDeps {
  readonly routing: (tenant: string) => Promise<Routing>;
  readonly templates: (tenant: string) => Promise<TemplateSet>;
  /** Where people reach this installation. */
  readonly externalUrl: string;
}

/** Composes one delivery by the configuration as it is now, and sends it. What no try will mend is `refused`. */
export async function sendNotification(
  deps: SendNotificationDeps,
  tenant: string,
  planned: PlannedDelivery,
  idempotencyKey: string,
): Promise<Verdict> {
  const routing = await deps.routing(tenant);
  const settings = findSettings(routing, planned);
  if (!settings) return { kind: 'refused', reason: `${planned.receiver} has no ${planned.integration} any more` };
  const templates = await deps.templates(tenant);
  const { receiver, groupKey, groupLabels, alerts, atMs } = planned;
  const notification = { tenant, receiver, groupKey, groupLabels, alerts, externalUrl: deps.externalUrl, atMs, idempotencyKey };
  try {
    const composed = await composeNotification(settings, notification, (data) =>
      createNotificationRenderer(templates, data, { nowMs: deps.clock() }),
    );
    return await sendComposed(deps, composed);
  } catch (error) {
    return judgeError(error, []);
  }
}

function findSettings({ config }: Routing, { receiver, integration }: PlannedDelivery): ReceiverSettings | undefined {
  const [kind, index] = integration.split('/') as [DeliveredKind, string];
  const settings = config.receivers.find(({ name }) => name === receiver)?.[kind]?.[Number(index)];
  return settings && ({ kind: kind.replace('_configs', ''), settings } as unknown as ReceiverSettings);
}
