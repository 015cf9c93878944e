import { createApiGatewayTraffic } from '#aws/traffic/api-gateway.ts';
import { createApiGatewayClient, createCodeDeployClient, createLambdaClient } from '#aws/traffic/clients.ts';
import { createCodeDeployTraffic } from '#aws/traffic/codedeploy.ts';
import { createLambdaAliasTraffic } from '#aws/traffic/lambda-alias.ts';
import type { Table } from '#ports/table.ts';
import type { TrafficDriver, TrafficTarget } from '#ports/traffic.ts';
import { readHook } from '#releases/traffic/codedeploy-hook.ts';

/** Drivers on AWS by their type, each with a client for the region that a target names. */
export function openAwsTraffic(type: 'lambda-alias' | 'api-gateway' | 'codedeploy', table: Table): TrafficDriver {
  switch (type) {
    case 'lambda-alias':
      return byRegion((region) => createLambdaAliasTraffic({ client: createLambdaClient({ region }) }));
    case 'api-gateway':
      return byRegion((region) => createApiGatewayTraffic({ client: createApiGatewayClient({ region }) }));
    case 'codedeploy':
      return byRegion((region) =>
        createCodeDeployTraffic({ client: createCodeDeployClient({ region }), hookOf: (group) => readHook(table, group) }),
      );
  }
}

function byRegion(open: (region: string | undefined) => TrafficDriver): TrafficDriver {
  const opened = new Map<string | undefined, TrafficDriver>();
  const of = ({ settings }: TrafficTarget): TrafficDriver => {
    const region = typeof settings.region === 'string' ? settings.region : undefined;
    const driver = opened.get(region) ?? open(region);
    opened.set(region, driver);
    return driver;
  };
  return {
    read: (target) => of(target).read(target),
    shift: (target, from, to) => of(target).shift(target, from, to),
    restore: (target, captured) => of(target).restore(target, captured),
    capture: (target) => of(target).capture(target),
  };
}
