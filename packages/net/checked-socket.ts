import { connect, type LookupFunction, type Socket } from 'node:net';
import { OpsError } from '#core/errors.ts';
import { type Address, type GuardDeps, resolveGuarded } from './guard.ts';

/** The resolver of the connection: tells what was checked, and asks nobody. */
export function answerWith(addresses: readonly Address[]): LookupFunction {
  return (_host, options, callback) => {
    if (options.all) callback(null, [...addresses]);
    else callback(null, addresses[0]!.address, addresses[0]!.family);
  };
}

/** True if a connected socket is at one of the addresses. */
export function isChecked(socket: Socket, addresses: readonly Address[]): boolean {
  return addresses.some(({ address }) => sameAddress(address, socket.remoteAddress ?? ''));
}

function sameAddress(a: string, b: string): boolean {
  return a === b || new URL(urlOf(a)).hostname === new URL(urlOf(b)).hostname;
}

function urlOf(address: string): string {
  return address.includes(':') ? `http://[${address}]` : `http://${address || 'none.invalid'}`;
}

/** A TCP connection to a host whose addresses have all been checked. `denied` or `unavailable`. */
export async function connectChecked(deps: GuardDeps, host: string, port: number, timeoutMs: number): Promise<Socket> {
  const addresses = await resolveGuarded(deps, host);
  const socket = connect({ host, port, lookup: answerWith(addresses) });
  return new Promise((resolve, reject) => {
    const fail = (why: string) => {
      socket.destroy();
      reject(new OpsError('unavailable', `${host}:${port}: ${why}`));
    };
    socket.setTimeout(timeoutMs, () => fail('no connection in time'));
    socket.once('error', (error: NodeJS.ErrnoException) => fail(error.code ?? 'failed'));
    socket.once('connect', () => {
      socket.setTimeout(0);
      socket.removeAllListeners('error');
      if (isChecked(socket, addresses)) resolve(socket);
      else fail('connected to an address that was not checked');
    });
  });
}
