import { compareSeries, type Series } from '#model/series.ts';

/** Anything that belongs to a series. */
export interface OfSeries {
  readonly series: Series;
}

/**
 * Several streams, each ordered by compareSeries, as one: what they hold of the same series is handed out together, in the order
 * of the streams. A plain scan over the streams' heads, since a compaction has few of them.
 */
export function* mergeStreams<T extends OfSeries>(streams: readonly Iterator<T>[]): Generator<{ series: Series; parts: T[] }> {
  const heads = streams.map((stream) => stream.next());
  for (;;) {
    let least: Series | undefined;
    for (const head of heads) {
      if (!head.done && (least === undefined || compareSeries(head.value.series, least) < 0)) least = head.value.series;
    }
    if (least === undefined) return;
    const parts: T[] = [];
    for (let i = 0; i < heads.length; i++) {
      for (let head = heads[i]; !head.done && compareSeries(head.value.series, least) === 0; head = heads[i]) {
        parts.push(head.value);
        heads[i] = streams[i].next();
      }
    }
    yield { series: least, parts };
  }
}
