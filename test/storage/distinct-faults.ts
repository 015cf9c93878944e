import type { Fault, PortCall } from '#ports/faulty.ts';

const READS = new Set(['table.get', 'table.query', 'blobs.get', 'blobs.list']);
const BATCHES = new Set(['table.batch', 'blobs.delete']);

/**
 * False where another kind of fault, or the same at another call, does the very same: a read changes nothing, so that it only fails,
 * and a crash there leaves what a crash after the write before it leaves. Of the reads every sixth stalls, which is within each plan.
 */
export function isDistinct(fault: Fault, { name, number }: PortCall): boolean {
  if (READS.has(name)) return fault === 'stall' && number % 6 === 0;
  return fault !== 'throttle' && (!fault.endsWith('half') || BATCHES.has(name));
}

/** Six plans that throttle every sixth call, and each call in one of them: one that is repeated counts again. */
export const throttlePlans = [1, 2, 3, 4, 5, 6].map(
  (first) => (call: PortCall) => (call.number % 7 === first ? ('throttle' as const) : undefined),
);
