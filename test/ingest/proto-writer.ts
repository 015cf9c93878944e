/** A protobuf message under construction; the wire format's mirror of packages/ingest/protobuf.ts, for tests and benchmarks. */
export interface ProtoWriter {
  varint(field: number, value: number | bigint): ProtoWriter;
  fixed64(field: number, value: bigint): ProtoWriter;
  double(field: number, value: number): ProtoWriter;
  bytes(field: number, value: Uint8Array): ProtoWriter;
  text(field: number, value: string): ProtoWriter;
  message(field: number, build: (inner: ProtoWriter) => void): ProtoWriter;
  packedVarints(field: number, values: readonly number[]): ProtoWriter;
  finish(): Uint8Array;
}

/** Makes an empty message. */
export function createProtoWriter(): ProtoWriter {
  let buffer = Buffer.allocUnsafe(256);
  let used = 0;
  const need = (size: number) => {
    if (used + size <= buffer.length) return;
    const larger = Buffer.allocUnsafe(Math.max(buffer.length * 2, used + size));
    buffer.copy(larger, 0, 0, used);
    buffer = larger;
  };
  const raw = (value: number | bigint) => {
    need(10);
    if (typeof value === 'number' && value >= 0 && value < 2 ** 53) {
      let rest = value;
      for (; rest > 127; rest = Math.floor(rest / 128)) buffer[used++] = (rest % 128) | 128;
      buffer[used++] = rest;
      return;
    }
    let rest = BigInt.asUintN(64, BigInt(value));
    for (; rest > 127n; rest >>= 7n) buffer[used++] = Number(rest & 127n) | 128;
    buffer[used++] = Number(rest);
  };
  const tag = (field: number, wire: number) => raw(field * 8 + wire);
  const writer: ProtoWriter = {
    varint(field, value) {
      tag(field, 0);
      raw(value);
      return writer;
    },
    fixed64(field, value) {
      tag(field, 1);
      need(8);
      used = buffer.writeBigUInt64LE(BigInt.asUintN(64, value), used);
      return writer;
    },
    double(field, value) {
      tag(field, 1);
      need(8);
      used = buffer.writeDoubleLE(value, used);
      return writer;
    },
    bytes(field, value) {
      tag(field, 2);
      raw(value.length);
      need(value.length);
      buffer.set(value, used);
      used += value.length;
      return writer;
    },
    text: (field, value) => writer.bytes(field, Buffer.from(value, 'utf8')),
    message(field, build) {
      const inner = createProtoWriter();
      build(inner);
      return writer.bytes(field, inner.finish());
    },
    packedVarints(field, values) {
      const inner = createProtoWriter();
      for (const value of values) inner.varint(1, value);
      const tagged = inner.finish();
      // Strip the tags: field 1 has a tag of one byte.
      const packed: number[] = [];
      for (let i = 0; i < tagged.length; ) {
        i++;
        while ((tagged[i] as number) >= 0x80) packed.push(tagged[i++] as number);
        packed.push(tagged[i++] as number);
      }
      return writer.bytes(field, Uint8Array.from(packed));
    },
    finish: () => Uint8Array.prototype.slice.call(buffer, 0, used),
  };
  return writer;
}

/** The bits of Prometheus' stale marker, which no JavaScript number carries safely. */
export const STALE_BITS = 0x7ff0000000000002n;

export interface WireSeries {
  readonly labels: readonly (readonly [string, string])[];
  /** A bigint is a double's bits. */
  readonly samples?: readonly { readonly value: number | bigint; readonly ts: number | bigint; readonly startTs?: number }[];
  readonly histograms?: number;
  readonly exemplars?: number;
}

/** A `prometheus.WriteRequest`, uncompressed. */
export function encodeWriteRequest(
  series: readonly WireSeries[],
  metadata: readonly { type: number; name: string; help: string; unit: string }[] = [],
): Uint8Array {
  const request = createProtoWriter();
  for (const one of series) {
    request.message(1, (m) => {
      for (const [name, value] of one.labels) m.message(1, (label) => void label.text(1, name).text(2, value));
      for (const sample of one.samples ?? []) {
        m.message(2, (s) => {
          if (typeof sample.value === 'bigint') s.fixed64(1, sample.value);
          else s.double(1, sample.value);
          s.varint(2, sample.ts);
        });
      }
      for (let i = 0; i < (one.exemplars ?? 0); i++) m.message(3, (e) => void e.double(2, 1).varint(3, 1));
      for (let i = 0; i < (one.histograms ?? 0); i++) m.message(4, (h) => void h.varint(1, 1).varint(15, 1));
    });
  }
  for (const one of metadata) request.message(3, (m) => void m.varint(1, one.type).text(2, one.name).text(4, one.help).text(5, one.unit));
  return request.finish();
}

export interface WireSeriesV2 extends WireSeries {
  readonly metadata?: { readonly type: number; readonly help: string; readonly unit: string };
  /** Milliseconds; absent or 0 where the series has none. */
  readonly createdTs?: number;
}

/** An `io.prometheus.write.v2.Request`, uncompressed; symbols in order of first use behind the empty one. */
export function encodeWriteRequestV2(series: readonly WireSeriesV2[]): Uint8Array {
  const symbols = new Map<string, number>([['', 0]]);
  const refOf = (text: string) => {
    const known = symbols.get(text);
    if (known !== undefined) return known;
    symbols.set(text, symbols.size);
    return symbols.size - 1;
  };
  const body = createProtoWriter();
  for (const one of series) {
    body.message(5, (m) => {
      m.packedVarints(
        1,
        one.labels.flatMap(([name, value]) => [refOf(name), refOf(value)]),
      );
      for (const sample of one.samples ?? []) {
        m.message(2, (s) => {
          if (typeof sample.value === 'bigint') s.fixed64(1, sample.value);
          else s.double(1, sample.value);
          s.varint(2, sample.ts);
          if (sample.startTs) s.varint(3, sample.startTs);
        });
      }
      for (let i = 0; i < (one.histograms ?? 0); i++) m.message(3, (h) => void h.varint(1, 27).double(3, 1).varint(15, 1));
      for (let i = 0; i < (one.exemplars ?? 0); i++) m.message(4, (e) => void e.packedVarints(1, [0, 0]).double(2, 1));
      const { metadata } = one;
      if (metadata) m.message(5, (d) => void d.varint(1, metadata.type).varint(3, refOf(metadata.help)).varint(4, refOf(metadata.unit)));
      if (one.createdTs) m.varint(6, one.createdTs);
    });
  }
  const head = createProtoWriter();
  for (const symbol of symbols.keys()) head.text(4, symbol);
  return Buffer.concat([head.finish(), body.finish()]);
}
