import { OpsError } from '#core/errors.ts';

/**
 * What goes wrong with a call. `fail-before`: unavailable, nothing done. `fail-half`: unavailable, and of a batch (table.batch,
 * blobs.delete, bus.publish) the first half is done. `fail-after`: unavailable, all done. `timeout`: unavailable at once, while the
 * call goes on and takes effect once the next one has, which may be its own repeat. `throttle`: unavailable with a time to wait,
 * nothing done. `crash-before`, `crash-half`, `crash-after`: the process ends there: this call, those under way and every later one
 * throw CrashError. `stall`: the call does not return; nothing is done until it is released, and then it goes on as if nothing had been.
 */
export type Fault = (typeof FAULTS)[number] | 'stall';

/** Every kind of fault that calls end with, for suites that go through them all. */
export const FAULTS = [
  'fail-before',
  'fail-half',
  'fail-after',
  'timeout',
  'throttle',
  'crash-before',
  'crash-half',
  'crash-after',
] as const;

/** One call of a port, in the order in which they began. */
export interface PortCall {
  /** 1 for the first. */
  readonly number: number;
  /** `table.put` */
  readonly name: string;
}

/** Ports with faults, and what has been called. */
export interface FaultyPorts<T> {
  readonly ports: T;
  readonly calls: readonly PortCall[];
  /** True once a crash has been met. */
  crashed(): boolean;
  /** Resolves when calls that timed out have taken effect. */
  settle(): Promise<void>;
  /** Resolves when a call has stalled. */
  readonly stalled: Promise<void>;
  /** Lets the calls that have stalled go on. */
  release(): void;
}

/** The end of the process, as far as what runs on faulty ports can tell. */
export class CrashError extends Error {
  override readonly name = 'CrashError';
}

const METHODS = new Set([
  'get',
  'put',
  'update',
  'delete',
  'query',
  'list',
  'transact',
  'batch',
  'publish',
  'presign',
  'append',
  'send',
  'read',
  'shift',
  'restore',
  'capture',
  'analyze',
]);
const BATCHES = new Set(['table.batch', 'blobs.delete', 'bus.publish']);

type Call = (...args: readonly unknown[]) => Promise<unknown>;

/** A plan with one fault, at the n-th call (1 for the first). */
export function faultAt(number: number, fault: Fault): (call: PortCall) => Fault | undefined {
  return (call) => (call.number === number ? fault : undefined);
}

/**
 * Wraps ports, given by name (`{ table, blobs, bus }`), so that calls go wrong as the plan says. Wrapping the same ports again is the
 * restart after a crash.
 */
export function faulty<T extends object>(ports: T, plan: (call: PortCall) => Fault | undefined): FaultyPorts<T> {
  const calls: PortCall[] = [];
  const late: (() => Promise<unknown>)[] = [];
  const stalled = Promise.withResolvers<void>();
  const released = Promise.withResolvers<void>();
  let crashed = false;

  const settle = async () => {
    for (const takeEffect of late.splice(0)) await takeEffect().catch(() => undefined);
  };

  async function run(name: string, method: Call, args: readonly unknown[]): Promise<unknown> {
    if (crashed) throw new CrashError(`${name} after the crash`);
    const call = { number: calls.length + 1, name };
    calls.push(call);
    const fault = plan(call);
    if (fault === 'stall') {
      stalled.resolve();
      await released.promise;
      return method(...args);
    }
    if (fault === 'timeout') {
      late.push(() => method(...args));
      throw faultError(fault, call);
    }
    if (fault?.startsWith('crash')) crashed = true;
    const effect = startEffect(name, method, args, fault);
    await effect.catch((error: unknown) => throwUnlessFault(fault, error));
    if (late.length > 0) await settle();
    if (crashed) throw new CrashError(`crash at ${name}, call ${call.number}`);
    if (fault) throw faultError(fault, call);
    return effect;
  }

  const wrapPort = (portName: string, port: unknown) => {
    if (typeof port !== 'object' || port === null) return port;
    const members = Object.entries(port).map(([name, member]) => {
      const wrapped = typeof member === 'function' && METHODS.has(name);
      return [name, wrapped ? (...args: unknown[]) => run(`${portName}.${name}`, member as Call, args) : member];
    });
    return Object.fromEntries(members);
  };
  return {
    ports: Object.fromEntries(Object.entries(ports).map(([name, port]) => [name, wrapPort(name, port)])) as T,
    calls,
    crashed: () => crashed,
    settle,
    stalled: stalled.promise,
    release: () => released.resolve(),
  };
}

/** What of the call takes effect under the fault. */
async function startEffect(name: string, method: Call, args: readonly unknown[], fault: Fault | undefined): Promise<unknown> {
  if (fault === 'fail-before' || fault === 'throttle' || fault === 'crash-before') return undefined;
  if (fault !== 'fail-half' && fault !== 'crash-half') return method(...args);
  const [items, ...rest] = args;
  if (!BATCHES.has(name) || !Array.isArray(items)) return undefined;
  return method(items.slice(0, Math.ceil(items.length / 2)), ...rest);
}

/** A call that fails by itself (a conflict, bad input) tells so, unless the fault hides it. */
function throwUnlessFault(fault: Fault | undefined, error: unknown): void {
  if (fault === undefined) throw error;
}

function faultError(fault: Fault, call: PortCall): OpsError {
  const retryAfterMs = fault === 'throttle' ? 1 : undefined;
  return new OpsError('unavailable', `${fault} injected at ${call.name}, call ${call.number}`, { retryAfterMs });
}
