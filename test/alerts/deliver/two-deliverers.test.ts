import { expect, it } from 'vitest';
import { deliverNotifications } from '#alerts/deliver/deliver-notifications.ts';
import type { PlannedDelivery } from '#alerts/dispatch/plan-dispatch.ts';
import type { Table } from '#ports/table.ts';
import { createAlertApp } from '#test/api/alerts/alert-app.ts';

const routing = `
route: { receiver: hook, group_wait: 0s, group_by: [alertname] }
receivers: [{ name: hook, webhook_configs: [{ url: "http://hook.example/" }] }]
`;

/** A deliverer whose transactions, by which a batch is taken apart, wait for `gate`. */
function slow(table: Table, gate: Promise<unknown>): Table {
  return {
    ...table,
    async transact(writes) {
      await gate;
      await table.transact(writes);
    },
  };
}

it('tells once what two deliverers take apart at once, the one of them late', async () => {
  const app = createAlertApp({ routing });
  await app.post('/alertmanager/api/v2/alerts', [{ labels: { alertname: 'x' } }, { labels: { alertname: 'y' } }]);
  await app.dispatch('a');
  const both = ['{}:{alertname="x"}', '{}:{alertname="y"}'];
  const sent: string[] = [];
  const deps = {
    ...app.domains,
    random: () => 0.5,
    send: async (_: string, planned: PlannedDelivery) => {
      sent.push(planned.groupKey);
      return { kind: 'sent' as const };
    },
  };
  let open = () => {};
  const gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  const late = deliverNotifications({ ...deps, table: slow(app.table, gate) });
  await deliverNotifications(deps);
  expect(sent.sort()).toEqual(both);
  open();
  await late;
  await deliverNotifications(deps);
  expect(sent.sort()).toEqual(both);
});
