import type { ConfigurationDomains } from '#api/configurations/configuration-domains.ts';
import { publishOutbox } from '#ports/outbox.ts';
import type { FunctionDeps } from './deps.ts';

/** What the routes of configurations are made of. */
export function configurationDomains({ table, bus, now, running }: FunctionDeps): ConfigurationDomains {
  return { table, now, running, publish: () => publishOutbox({ table, bus }) };
}
