// CPU seconds per million samples of decoding alone, on the benchmark kit's data: node bench/decode.ts [rounds]
// The kit is found through BENCH_KIT (default: ../shared/bench beside the project).
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { decodeBody } from '#ingest/body.ts';
import type { Decoded } from '#ingest/decoded.ts';
import { defaultIngestLimits as limits } from '#ingest/limits.ts';
import { decodeOtlp } from '#ingest/otlp.ts';
import { createOtlpTranslator, defaultOtlpSettings } from '#ingest/otlp-translator.ts';
import { decodeRemoteWriteV1 } from '#ingest/remote-write-v1.ts';
import { decodeRemoteWriteV2 } from '#ingest/remote-write-v2.ts';
import { createSeriesCache } from '#ingest/series-cache.ts';
import { STALE } from '#model/samples.ts';
import { encodeWriteRequestV2, STALE_BITS, type WireSeriesV2 } from '#test/ingest/proto-writer.ts';

const kit = process.env.BENCH_KIT ?? resolve(import.meta.dirname, '..', '..', 'shared', 'bench');
const rounds = Number(process.argv[2] ?? 5);
const MAX_SERIES = 200_000;

interface Body {
  readonly bytes: Uint8Array;
  readonly samples: number;
}

/** The bodies of a payload file: 8 bytes, then length and number of samples before each body. */
function readBodies(path: string): Body[] {
  const file = readFileSync(path);
  const bodies: Body[] = [];
  for (let at = 8; at < file.length; ) {
    const length = file.readUInt32LE(at);
    bodies.push({ bytes: new Uint8Array(file.subarray(at + 8, at + 8 + length)), samples: file.readUInt32LE(at + 4) });
    at += 8 + length;
  }
  return bodies;
}

function generate(): { remoteWrite: Body[]; otlp: Body[] } {
  const folder = mkdtempSync(join(tmpdir(), 'decode-'));
  try {
    const [rw, otlp] = [join(folder, 'rw'), join(folder, 'otlp')];
    const options = ['--series', '2000', '--hours', '2', '--batch', '2000', '--jitter', '200'];
    execFileSync(process.execPath, [join(kit, 'gen.mjs'), ...options, '--out-rw', rw, '--out-otlp', otlp]);
    return { remoteWrite: readBodies(rw), otlp: readBodies(otlp) };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The same samples as remote write 2.0, one series for each. */
function toVersion2({ batch }: Decoded): Uint8Array {
  const series: WireSeriesV2[] = Array.from(batch.ts, (ts, i) => {
    const { metric, labels } = batch.series[batch.seriesIndex[i]];
    const value = batch.flags[i] & STALE ? STALE_BITS : batch.value[i];
    return { labels: [['__name__', metric], ...labels.map(({ name, value: text }) => [name, text] as const)], samples: [{ ts, value }] };
  });
  return encodeWriteRequestV2(series);
}

function measure(name: string, bodies: readonly Body[], decode: (body: Uint8Array) => Decoded): void {
  const samples = bodies.reduce((sum, body) => sum + body.samples, 0);
  const perMillion: number[] = [];
  for (let round = 0; round <= rounds; round++) {
    const start = process.cpuUsage();
    for (const { bytes } of bodies) decode(bytes);
    const { user, system } = process.cpuUsage(start);
    if (round > 0) perMillion.push((user + system) / samples);
  }
  perMillion.sort((a, b) => a - b);
  const size = bodies.reduce((sum, { bytes }) => sum + bytes.length, 0) / samples;
  const median = perMillion[Math.floor(rounds / 2)];
  console.log(
    `${name.padEnd(24)} ${median.toFixed(3)} CPU-s per 1 M samples (best ${perMillion[0].toFixed(3)}), ${size.toFixed(1)} bytes a sample`,
  );
}

const { remoteWrite, otlp } = generate();
const series = createSeriesCache({ maxSeries: MAX_SERIES, limits });
const translator = createOtlpTranslator({ series, maxSeries: MAX_SERIES }, defaultOtlpSettings);
const plain = remoteWrite.map((body) => ({ ...body, bytes: decodeBody(body.bytes, 'snappy', limits).slice() }));
const version2 = plain.map((body) => ({ ...body, bytes: toVersion2(decodeRemoteWriteV1({ series }, body.bytes)) }));

measure('snappy alone', remoteWrite, (bytes) => decodeRemoteWriteV1({ series }, decodeBody(bytes, 'snappy', limits).subarray(0, 0)));
measure('remote write 1.0', plain, (bytes) => decodeRemoteWriteV1({ series }, bytes));
measure('remote write 2.0', version2, (bytes) => decodeRemoteWriteV2({ series }, bytes));
measure('OTLP protobuf', otlp, (bytes) => decodeOtlp({ translator }, bytes, 'protobuf'));
