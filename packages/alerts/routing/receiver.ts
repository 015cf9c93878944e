import * as z from 'zod';
import { quoteGo } from '#alerts/go-quote.ts';
import { OpsError } from '#core/errors.ts';
import { faults, list, settings, text, textMap } from './config-fields.ts';
import type { GlobalSettings } from './global-settings.ts';
import { deliveredSettings } from './receiver-settings.ts';
import { type Integration, type IntegrationKind, integrationSettings, mayBeEmpty, resolvers } from './resolve-receivers.ts';

/** A name and all that is told under it. Settings have Alertmanager's names; what was left out is filled in. */
export type Receiver = {
  readonly name: string;
  /** `name` among them. */
  readonly labels: Readonly<Record<string, string>>;
} & { readonly [K in IntegrationKind]: readonly Integration<K>[] };

const kinds = Object.keys(resolvers) as IntegrationKind[];

/** Shown in the message about an empty entry: `missing webhook config`. */
const shortName = (kind: IntegrationKind) => kind.replace('_configs', '');

type Lists = { [K in IntegrationKind]: z.ZodDefault<z.ZodArray<z.ZodNullable<(typeof integrationSettings)[K]>>> };

const lists = Object.fromEntries(
  kinds.map((kind) => [kind, list(z.nullable(integrationSettings[kind] as z.ZodType), `*${shortName(kind)}`).default([])]),
) as unknown as Lists;

/** A receiver as it is written. */
export const receiverSettings = settings('config.plain', { name: text(), labels: textMap(), ...lists }).superRefine(
  faults<{ name: string; labels: Record<string, string> }>(
    [(c) => c.name === '', 'missing name in receiver'],
    [
      (c) => Object.hasOwn(c.labels, 'name') && c.labels.name !== c.name,
      (c) => `receiver label "name" must match receiver name ${quoteGo(c.name)}, got ${quoteGo(c.labels.name as string)}`,
    ],
  ),
);

/** The receiver completed from the global settings. `onFault` is told where, and throws. */
export function resolveReceiver(
  written: z.infer<typeof receiverSettings>,
  global: GlobalSettings,
  onFault: (path: readonly PropertyKey[], fault: OpsError) => never,
): Receiver {
  const resolved: Partial<Record<IntegrationKind, unknown[]>> = {};
  for (const kind of kinds) {
    const resolve = resolvers[kind] as (settings: unknown, global: GlobalSettings) => unknown;
    resolved[kind] = (written[kind] as readonly unknown[]).map((entry, i) => {
      try {
        if (entry === null && !mayBeEmpty.includes(kind)) throw new OpsError('input', `missing ${shortName(kind)} config`);
        return resolve(entry ?? (integrationSettings[kind] as z.ZodType).parse({}), global);
      } catch (error) {
        if (!(error instanceof OpsError)) throw error;
        return onFault([kind, i], error);
      }
    });
  }
  return { name: written.name, labels: { ...written.labels, name: written.name }, ...resolved } as unknown as Receiver;
}

/** The kinds of the receiver to which nothing is delivered. */
export function listUndelivered(receiver: Receiver): IntegrationKind[] {
  return kinds.filter((kind) => !Object.hasOwn(deliveredSettings, kind) && receiver[kind].length > 0);
}
