import type { SampleBatch } from '#model/samples.ts';
import type { Series } from '#model/series.ts';

/** Collects samples into a batch. Series are told apart by object identity: hand in interned ones (series-cache.ts). */
export class BatchBuilder {
  #series: Series[] = [];
  #indexOf = new Map<Series, number>();
  #seriesIndex = new Uint32Array(1024);
  #ts = new Float64Array(1024);
  #value = new Float64Array(1024);
  #flags = new Uint8Array(1024);
  #startTs: Float64Array | undefined;
  #count = 0;

  get count(): number {
    return this.#count;
  }

  add(series: Series, ts: number, value: number, flags = 0, startTs = Number.NaN): void {
    let index = this.#indexOf.get(series);
    if (index === undefined) {
      index = this.#series.push(series) - 1;
      this.#indexOf.set(series, index);
    }
    const at = this.#count++;
    if (at === this.#ts.length) this.#grow();
    this.#seriesIndex[at] = index;
    this.#ts[at] = ts;
    this.#value[at] = value;
    this.#flags[at] = flags;
    if (!Number.isNaN(startTs)) this.#startTs ??= new Float64Array(this.#ts.length).fill(Number.NaN);
    if (this.#startTs) this.#startTs[at] = startTs;
  }

  /** The batch; the builder must not be used afterwards. */
  finish(): SampleBatch {
    const n = this.#count;
    return {
      series: this.#series,
      seriesIndex: this.#seriesIndex.subarray(0, n),
      ts: this.#ts.subarray(0, n),
      value: this.#value.subarray(0, n),
      flags: this.#flags.subarray(0, n),
      startTs: this.#startTs?.subarray(0, n),
    };
  }

  #grow(): void {
    const size = this.#ts.length * 2;
    const seriesIndex = new Uint32Array(size);
    const ts = new Float64Array(size);
    const value = new Float64Array(size);
    const flags = new Uint8Array(size);
    seriesIndex.set(this.#seriesIndex);
    ts.set(this.#ts);
    value.set(this.#value);
    flags.set(this.#flags);
    if (this.#startTs) {
      const startTs = new Float64Array(size).fill(Number.NaN);
      startTs.set(this.#startTs);
      this.#startTs = startTs;
    }
    this.#seriesIndex = seriesIndex;
    this.#ts = ts;
    this.#value = value;
    this.#flags = flags;
  }
}
