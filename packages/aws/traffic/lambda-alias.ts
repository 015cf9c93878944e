import { type AliasConfiguration, GetAliasCommand, type LambdaClient, UpdateAliasCommand } from '@aws-sdk/client-lambda';
import { callAws } from '#aws/call.ts';
import { OpsError } from '#core/errors.ts';
import type { RetryOptions } from '#core/retry.ts';
import { LambdaAliasSettings } from '#model/traffic-settings.ts';
import { shiftByStep, type TrafficStep } from '#ports/shift-traffic.ts';
import { type CapturedTraffic, normalizeTraffic, type TrafficDriver, type TrafficState, type TrafficTarget } from '#ports/traffic.ts';
import { readVersionNames, type VersionNames } from './version-names.ts';

export interface LambdaAliasDeps {
  readonly client: LambdaClient;
  readonly retry?: RetryOptions | undefined;
}

/**
 * Traffic between two published versions of a function, by the weights of an alias. A version is called by its description, or by its number
 * where it has none. Every update names the alias' revision, so that nobody else's is written over. Needs lambda:GetAlias, lambda:UpdateAlias and
 * lambda:ListVersionsByFunction on the function.
 */
export function createLambdaAliasTraffic(deps: LambdaAliasDeps): TrafficDriver {
  return {
    read: async (target) => (await stepOf(deps, target).read()).state,
    shift: (target, from, to) => shiftByStep(stepOf(deps, target), from, to),
    async capture(target) {
      const { FunctionVersion, RoutingConfig } = await readAlias(deps, settingsOf(target));
      return { functionVersion: FunctionVersion ?? '', weights: RoutingConfig?.AdditionalVersionWeights ?? {} };
    },
    async restore(target, captured) {
      const settings = settingsOf(target);
      const alias = await readAlias(deps, settings);
      const { functionVersion, weights } = captured as { functionVersion: string; weights: Record<string, number> };
      if (!holds(alias, functionVersion, weights)) await updateAlias(deps, settings, alias, functionVersion, weights);
      return (await stepOf(deps, target).read()).state;
    },
  };
}

function settingsOf({ settings }: TrafficTarget): LambdaAliasSettings {
  return LambdaAliasSettings.parse(settings);
}

function stepOf(deps: LambdaAliasDeps, target: TrafficTarget): TrafficStep<NamedAlias> {
  const settings = settingsOf(target);
  return {
    place: placeOf(settings),
    async read() {
      const alias = await readAlias(deps, settings);
      const names = await readVersionNames(deps, settings.function);
      return { world: { alias, names }, state: stateOf(alias, names, settings) };
    },
    async set(to, { alias, names }) {
      const { stable, canary, weight } = normalizeTraffic(to);
      const weights = canary === undefined ? {} : { [names.numberOf(canary)]: weight / 100 };
      await updateAlias(deps, settings, alias, names.numberOf(stable), weights);
    },
  };
}

function placeOf(settings: LambdaAliasSettings): string {
  return `alias ${settings.alias} of function ${settings.function}`;
}

interface NamedAlias {
  readonly alias: AliasConfiguration;
  readonly names: VersionNames;
}

function stateOf(
  { FunctionVersion = '', RoutingConfig }: AliasConfiguration,
  { nameOf }: VersionNames,
  settings: LambdaAliasSettings,
): TrafficState {
  const weights = Object.entries(RoutingConfig?.AdditionalVersionWeights ?? {});
  if (weights.length > 1) throw new OpsError('input', `${placeOf(settings)} has more than one additional version`);
  const [canary, share] = weights[0] ?? [undefined, 0];
  // Percent as it was asked for: 0.07 * 100 is not 7.
  const weight = Math.round(share * 1e8) / 1e6;
  return normalizeTraffic({ stable: nameOf(FunctionVersion), canary: canary === undefined ? undefined : nameOf(canary), weight });
}

function holds(alias: AliasConfiguration, functionVersion: string, weights: CapturedTraffic): boolean {
  const now = alias.RoutingConfig?.AdditionalVersionWeights ?? {};
  const isSame = Object.keys({ ...now, ...weights }).every((version) => now[version] === weights[version]);
  return alias.FunctionVersion === functionVersion && isSame;
}

function readAlias({ client, retry }: LambdaAliasDeps, settings: LambdaAliasSettings): Promise<AliasConfiguration> {
  const options = { operation: 'lambda:GetAlias', resource: placeOf(settings), repeat: 'always', retry } as const;
  return callAws(options, () => client.send(new GetAliasCommand({ FunctionName: settings.function, Name: settings.alias })));
}

/** With the revision that was read: a repeat after a lost answer is refused and looks at the alias again. */
async function updateAlias(
  { client, retry }: LambdaAliasDeps,
  settings: LambdaAliasSettings,
  { RevisionId }: AliasConfiguration,
  functionVersion: string,
  weights: Readonly<Record<string, number>>,
): Promise<void> {
  const options = { operation: 'lambda:UpdateAlias', resource: placeOf(settings), repeat: 'refused', retry } as const;
  const input = {
    FunctionName: settings.function,
    Name: settings.alias,
    FunctionVersion: functionVersion,
    RoutingConfig: { AdditionalVersionWeights: weights },
    RevisionId,
  };
  await callAws(options, () => client.send(new UpdateAliasCommand(input)));
}
