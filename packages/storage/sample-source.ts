import type { SampleSource } from '#ports/sample-source.ts';
import { listSeries } from './list-series.ts';
import { readMetadata } from './metadata.ts';
import { selectSeries } from './select.ts';
import type { StorageDeps } from './storage-deps.ts';

/** Storage as the query engine sees it. */
export function createSampleSource(deps: StorageDeps): SampleSource {
  return {
    select: (input) => selectSeries(deps, input),
    series: (input) => listSeries(deps, input),
    metadata: ({ tenant, metric }) => readMetadata(deps.table, tenant, metric),
  };
}
