import type { AlertsReceived, NotificationsDue } from '#model/events.ts';
import type { Bus, BusEvent } from '#ports/bus.ts';

export interface WakeUpDeps {
  readonly bus: Bus;
  readonly newId: () => string;
  readonly now: () => number;
}

/** Starts dispatching of tenants whose inbox has something. Lost, it costs a minute: the schedule looks all the same. */
export async function announceReceived(deps: WakeUpDeps, tenants: readonly string[]): Promise<void> {
  await announce(deps, 'Alerts Received', tenants);
}

/** Starts sending of tenants' notifications; likewise. */
export async function announceDue(deps: WakeUpDeps, tenants: readonly string[]): Promise<void> {
  await announce(deps, 'Notifications Due', tenants);
}

async function announce({ bus, newId, now }: WakeUpDeps, detailType: string, tenants: readonly string[]): Promise<void> {
  if (tenants.length === 0) return;
  const at = new Date(now()).toISOString();
  await bus.publish(
    tenants.map((tenant): BusEvent => {
      const detail: AlertsReceived & NotificationsDue = { id: newId(), tenant, at };
      return { source: 'quarterdeck.alerts', detailType, detail };
    }),
  );
}
