import type { ReadStats } from '#ports/sample-source.ts';

/** Counts what an answer costs, while it is worked out. */
export interface ReadCounter {
  objects: number;
  requests: number;
  bytes: number;
  samples: number;
}

export function startCounting(): ReadCounter {
  return { objects: 0, requests: 0, bytes: 0, samples: 0 };
}

/** The counts as they stand. */
export function readStats({ objects, requests, bytes, samples }: ReadCounter): ReadStats {
  return { objects, requests, bytes, samples };
}
