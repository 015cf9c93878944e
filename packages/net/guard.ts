import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { OpsError } from '#core/errors.ts';
import { classifyAddress } from './address.ts';

/** One address of a name. */
export interface Address {
  readonly address: string;
  readonly family: number;
}

/** All addresses of a name; rejects with a Node error code (`ENOTFOUND`). */
export type Resolve = (host: string) => Promise<readonly Address[]>;

export interface GuardDeps {
  /** Default: the system's resolver. */
  readonly resolve?: Resolve | undefined;
  /** Lets private, loopback and carrier-grade NAT addresses be reached. Metadata, link-local and reserved ones never are. */
  readonly allowPrivate: boolean;
}

const systemResolve: Resolve = (host) => lookup(host, { all: true, order: 'verbatim' });

/**
 * The addresses of a host, all of them checked: one that may not be reached refuses the name (`denied`), since whoever answers for
 * it chooses which of them is tried. To be connected to as they are: asking for the name again would let it answer otherwise.
 */
export async function resolveGuarded(deps: GuardDeps, host: string): Promise<readonly Address[]> {
  const bare = host.replace(/^\[(.*)\]$/, '$1');
  const addresses = isIP(bare) === 0 ? await resolveName(deps.resolve ?? systemResolve, bare) : [{ address: bare, family: isIP(bare) }];
  for (const { address } of addresses) checkAddress(deps, host, address);
  return addresses;
}

async function resolveName(resolve: Resolve, host: string): Promise<readonly Address[]> {
  const addresses = await resolve(host).catch((cause: NodeJS.ErrnoException) => {
    throw new OpsError('unavailable', `${host} cannot be resolved: ${cause.code ?? 'failed'}`);
  });
  if (addresses.length === 0) throw new OpsError('unavailable', `${host} has no address`);
  return addresses;
}

function checkAddress({ allowPrivate }: GuardDeps, host: string, address: string): void {
  const found = classifyAddress(address);
  if (found.class === 'public' || (found.class === 'private' && allowPrivate)) return;
  const named = host === address || host === `[${address}]` ? host : `${host} is ${address}, which`;
  throw new OpsError('denied', `${named} may not be reached: ${found.range}`, {
    hint: found.class === 'private' ? 'QUARTERDECK_ALLOW_PRIVATE_TARGETS=on allows private and loopback addresses.' : undefined,
  });
}
