import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { compressSync } from 'snappy';
import { describe, expect, it } from 'vitest';
import { defaultIngestLimits } from '#ingest/limits.ts';
import { answerRemoteWrite, type RemoteWriteAnswer, readRemoteWrite } from '#ingest/remote-write.ts';
import { METRIC_TYPES } from '#ingest/remote-write-sample.ts';
import { createSeriesCache } from '#ingest/series-cache.ts';
import { corpus } from '#test/corpora.ts';
import { encodeWriteRequest, encodeWriteRequestV2, STALE_BITS } from './proto-writer.ts';

type Labels = Record<string, string>;
interface Point {
  labels: Labels;
  offset?: number;
  createdOffset?: number;
  value?: number | string;
}
interface Metadata {
  labels: Labels;
  type: string;
  help: string;
  unit: string;
}
interface Case {
  test: string;
  name?: string;
  level: string;
  request: { samples?: Point[]; histograms?: Point[]; exemplars?: Point[]; metadata?: Metadata[] };
  success?: boolean;
  status?: number;
  written?: { samples: number; histograms: number; exemplars: number };
  headers?: Record<string, string>;
  corruptFirstByte?: string;
}
interface Cases {
  defaultHeaders: Record<'v1' | 'v2', Record<string, string>>;
  cases: Case[];
  protocol: Case[];
  v1: Case[];
}

interface Building {
  labels: [string, string][];
  key: string;
  samples: { value: number | bigint; ts: number }[];
  histograms: number;
  exemplars: number;
  createdTs: number;
  metadata?: { type: number; help: string; unit: string };
}

const now = Date.UTC(2026, 10, 24);
const keyOf = (labels: Labels) => JSON.stringify(Object.entries(labels).sort());
const wireValue = (value: number | string | undefined): number | bigint => {
  if (value === 'StaleNaN') return STALE_BITS;
  return value === '+Inf' ? Number.POSITIVE_INFINITY : value === '-Inf' ? Number.NEGATIVE_INFINITY : Number(value);
};

/** The series of a request, put together by the rules of the corpus' SOURCE.md. */
function buildSeries({ request }: Case): Building[] {
  const make = (labels: Labels): Building => ({
    labels: Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)),
    key: keyOf(labels),
    samples: [],
    histograms: 0,
    exemplars: 0,
    createdTs: 0,
  });
  const created = (point: Point) => (point.createdOffset ? now + point.createdOffset * 1000 : 0);
  const series: Building[] = [];
  for (const point of request.samples ?? []) {
    const ts = now + (point.offset ?? 0) * 1000;
    series.push({ ...make(point.labels), samples: [{ value: wireValue(point.value), ts }], createdTs: created(point) });
  }
  for (const point of request.histograms ?? []) series.push({ ...make(point.labels), histograms: 1, createdTs: created(point) });
  const pointed = series.length;
  for (const { labels, type, help, unit } of request.metadata ?? []) {
    const name = labels.__name__;
    if (name === undefined) continue;
    const metadata = { type: Math.max(0, METRIC_TYPES.indexOf(type)), help, unit };
    const owners = series.filter((one) => one.labels.some(([key, value]) => key === '__name__' && value === name));
    for (const owner of owners) owner.metadata = metadata;
    if (owners.length === 0) series.push({ ...make(labels), metadata });
  }
  const taken = new Set<Building>();
  for (const { labels } of request.exemplars ?? []) {
    const owners = series.slice(0, pointed).filter((one) => one.key === keyOf(labels));
    const owner = owners.find((one, i) => i === owners.length - 1 || !taken.has(one));
    if (owner) {
      taken.add(owner);
      owner.exemplars++;
    } else series.push({ ...make(labels), exemplars: 1 });
  }
  return series;
}

function answer(one: Case, version: 'v1' | 'v2', defaults: Cases['defaultHeaders']): RemoteWriteAnswer {
  const series = buildSeries(one);
  const body = Buffer.from(compressSync(Buffer.from(version === 'v1' ? encodeWriteRequest(series) : encodeWriteRequestV2(series))));
  if (one.corruptFirstByte) body[0] = Number(one.corruptFirstByte);
  const headers = new Headers({ ...defaults[version], ...one.headers });
  const reading = readRemoteWrite({ series: createSeriesCache({ maxSeries: 1_000, limits: defaultIngestLimits }) }, { headers, body });
  return reading.refused ?? answerRemoteWrite(reading.version, reading.decoded);
}

const written = ({ headers }: RemoteWriteAnswer) => ({
  samples: Number(headers['X-Prometheus-Remote-Write-Samples-Written'] ?? 0),
  histograms: Number(headers['X-Prometheus-Remote-Write-Histograms-Written'] ?? 0),
  exemplars: Number(headers['X-Prometheus-Remote-Write-Exemplars-Written'] ?? 0),
});

const path = corpus('remote-write');
const cases: Cases | undefined = path ? (JSON.parse(readFileSync(resolve(path, 'receiver-cases.json'), 'utf8')) as Cases) : undefined;
const nameOf = (one: Case, i: number) => `${i}: ${one.test} / ${one.name ?? JSON.stringify(one.headers ?? one.corruptFirstByte ?? '')}`;

describe.skipIf(!cases)('the remote-write receiver suite', () => {
  const {
    defaultHeaders,
    cases: requests,
    protocol,
    v1,
  } = cases ?? { defaultHeaders: { v1: {}, v2: {} }, cases: [], protocol: [], v1: [] };
  // Native histograms are not stored yet: such a request must be refused by name and the rest of it taken.
  const native = requests.filter((one) => one.success && (one.request.histograms ?? []).length > 0);
  const others = requests.filter((one) => !native.includes(one));

  it.each(others.map((one, i) => [nameOf(one, i), one] as const))('%s', (_name, one) => {
    const reply = answer(one, 'v2', defaultHeaders);
    if (one.success) {
      expect(reply).toMatchObject({ status: 204, body: '' });
      expect(written(reply)).toEqual(one.written);
      return;
    }
    expect(reply.status).toBe(400);
    expect(written(reply).samples).toBeLessThanOrEqual(one.written?.samples ?? 0);
    expect(written(reply).histograms).toBeLessThanOrEqual(one.written?.histograms ?? 0);
    expect(written(reply).exemplars).toBeLessThanOrEqual(one.written?.exemplars ?? 0);
  });

  it('holds the number of cases that native histograms are missing for', () => {
    expect(native.length).toBe(19);
  });

  it.each(native.map((one, i) => [nameOf(one, i), one] as const))('refuses by name: %s', (_name, one) => {
    const reply = answer(one, 'v2', defaultHeaders);
    expect(reply.status).toBe(400);
    expect(reply.body).toMatch(/native-histogram \(\d+\): native histograms are not supported/);
    expect(written(reply)).toEqual({ ...one.written, histograms: 0 });
  });

  it.each(protocol.map((one, i) => [nameOf(one, i), one] as const))('%s', (_name, one) => {
    expect(answer(one, 'v2', defaultHeaders).status).toBe(one.status);
  });

  it.each(v1.map((one, i) => [nameOf(one, i), one] as const))('1.0: %s', (_name, one) => {
    const reply = answer(one, 'v1', defaultHeaders);
    expect(reply.status).toBe(one.status ?? 204);
    expect(written(reply)).toEqual({ samples: 0, histograms: 0, exemplars: 0 });
  });
});
