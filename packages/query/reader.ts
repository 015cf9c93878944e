import type { SampleSource, SelectInput, SelectLimits, SelectResult } from '#ports/sample-source.ts';
import { queryCanceledError, queryTimeoutError } from './query-errors.ts';

/** One read, as an expression asks for it. */
export type ReadRequest = Omit<SelectInput, 'tenant' | 'limits' | 'signal'>;

interface ReaderInput {
  readonly tenant: string;
  readonly limits: SelectLimits & { readonly timeoutMs: number };
  readonly signal?: AbortSignal | undefined;
}

/** Reads for one query until its time is over. */
export interface Reader {
  /** Everything read so far. */
  readonly results: readonly SelectResult[];
  /** Fails when the time is over or the query was cancelled, whether or not the source heeds its signal. */
  select(request: ReadRequest): Promise<SelectResult>;
  /** Calls off what is still under way. */
  close(): void;
}

export function makeReader(source: SampleSource, { tenant, limits, signal }: ReaderInput): Reader {
  const results: SelectResult[] = [];
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(queryTimeoutError()), Math.max(0, limits.timeoutMs));
  const cancel = () => stop.abort(queryCanceledError());
  signal?.addEventListener('abort', cancel, { once: true });
  if (signal?.aborted) cancel();
  const stopped = new Promise<never>((_, reject) => {
    stop.signal.addEventListener('abort', () => reject(stop.signal.reason));
    if (stop.signal.aborted) reject(stop.signal.reason);
  });
  stopped.catch(() => undefined);
  return {
    results,
    async select(request) {
      const { maxSeries, maxSamples, maxBytes } = limits;
      const reading = source.select({ ...request, tenant, limits: { maxSeries, maxSamples, maxBytes }, signal: stop.signal });
      const result = await Promise.race([reading, stopped]).catch((error: unknown) => {
        throw stop.signal.aborted ? stop.signal.reason : error;
      });
      results.push(result);
      return result;
    },
    close() {
      clearTimeout(timer);
      signal?.removeEventListener('abort', cancel);
      stop.abort(queryCanceledError());
    },
  };
}
