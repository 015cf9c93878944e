import type { SampleBatch } from '#model/samples.ts';
import type { MetricMetadata } from '#ports/sample-source.ts';

/** Why items of a request were left out, in words for the sender. */
export interface Rejection {
  /** Stable, for counters: `label-limit`, `name-too-long`, `invalid-utf8`, `too-old`, `exponential-histogram`... */
  readonly reason: string;
  /** One sentence that names the first such item. */
  readonly message: string;
  /** Samples (data points) left out for it. */
  readonly count: number;
}

/** What a decoder makes of a request body. A body that is not of its protocol at all is an OpsError `input`, not a Decoded. */
export interface Decoded {
  readonly batch: SampleBatch;
  readonly metadata: readonly MetricMetadata[];
  readonly rejections: readonly Rejection[];
  /** Exemplars met: accepted, counted and dropped. */
  readonly exemplars: number;
  /** Some sample carried no time and has that of the receipt. */
  readonly stampedAtReceipt: boolean;
}
