import { deliverNotifications } from '#alerts/deliver/deliver-notifications.ts';
import { sendNotification } from '#alerts/deliver/send-notification.ts';
import { compileAlerting } from '#functions/alerting.ts';
import { onAlertsLambda } from '#functions/alerts-lambda.ts';
import type { OpsFunction } from '#functions/lambda.ts';
import { withOAuth2 } from '#net/oauth2.ts';
import { createSafeHttp } from '#net/safe-http.ts';

/** Sends the notifications that are due. */
export const run: OpsFunction = async (deps) => {
  const { table, blobs, now, newId, config, remainingMs, externalUrl, allowPrivateTargets, mail, topics, eventTargets } = deps;
  const outgoing = withOAuth2({ outgoing: createSafeHttp({ allowPrivate: allowPrivateTargets }), clock: now });
  const sending = {
    ...{ outgoing, mail, topics, events: eventTargets, clock: now, externalUrl },
    routing: async (tenant: string) => (await compileAlerting(config)).routing(tenant),
    templates: async (tenant: string) => (await compileAlerting(config)).templates(tenant),
  };
  const result = await deliverNotifications({
    ...{ table, blobs, now, newId, remainingMs, random: Math.random },
    send: (tenant, planned, key) => sendNotification(sending, tenant, planned, key),
  });
  deps.alertObserver?.delivered(result);
  return result;
};

export const handler = onAlertsLambda(run, {
  notifiers: async (options) => (await import('#functions/aws-notifiers.ts')).openAwsNotifiers(options),
});
