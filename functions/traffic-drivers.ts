import { readSettings } from '#config/settings.ts';
import { createSafeHttp } from '#net/safe-http.ts';
import type { TrafficDriver } from '#ports/traffic.ts';
import { createFlagTraffic } from '#releases/traffic/flag-traffic.ts';
import { createWebhookTraffic } from '#releases/traffic/webhook-traffic.ts';
import type { FunctionDeps } from './deps.ts';
import { flagRollouts } from './flags-deps.ts';

/** The drivers by the type that an application names; those of AWS are loaded when the first is called. */
export function trafficDrivers(deps: FunctionDeps): (type: string) => TrafficDriver | undefined {
  const { now, allowPrivateTargets, table } = deps;
  return (type) => {
    switch (type) {
      case 'flag':
        return createFlagTraffic(flagRollouts(deps));
      case 'webhook':
        return createWebhookTraffic({ outgoing: createSafeHttp({ allowPrivate: allowPrivateTargets }), now, secretOf });
      case 'lambda-alias':
      case 'api-gateway':
      case 'codedeploy':
        return loadedDriver(async () => (await import('./aws-traffic.ts')).openAwsTraffic(type, table));
      default:
        return undefined;
    }
  };
}

/** What a tenant's CI signs its deliveries with, our requests to its traffic webhook are signed with. */
function secretOf(tenant: string): string | undefined {
  return readSettings().ciSecrets.find((each) => each.tenant === tenant)?.secret;
}

function loadedDriver(load: () => Promise<TrafficDriver>): TrafficDriver {
  let loading: Promise<TrafficDriver> | undefined;
  const driver = () => {
    loading ??= load();
    return loading;
  };
  return {
    read: async (target) => (await driver()).read(target),
    shift: async (target, from, to) => (await driver()).shift(target, from, to),
    restore: async (target, captured) => (await driver()).restore(target, captured),
    capture: async (target) => (await driver()).capture(target),
  };
}
