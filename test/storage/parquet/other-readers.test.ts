import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import fc from 'fast-check';
import { parquetReadObjects } from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { seriesFromLabels } from '#model/series.ts';
import type { RawSeries } from '#ports/sample-source.ts';
import { encodeAggregateBlock } from '#storage/aggregate-block.ts';
import { encodeMetricsBlock } from '#storage/metrics-block.ts';
import { anyAggregateBlock, anyBlock, bitsOf, flatten, flattenAggregates } from './arbitrary-blocks.ts';

const folder = mkdtempSync(join(tmpdir(), 'quarterdeck-parquet-'));
const document = readFileSync(resolve(import.meta.dirname, '../../../docs/metrics-block-format.md'), 'utf8');
let connection: Awaited<ReturnType<DuckDBInstance['connect']>>;
let files = 0;

beforeAll(async () => {
  connection = await (await DuckDBInstance.create(':memory:', { threads: '1' })).connect();
});
afterAll(() => {
  connection.closeSync();
  rmSync(folder, { recursive: true });
});

/** The view that the document gives, over files of this test. */
function documentedView(name: string, glob: string): string {
  const sql = document
    .split('```sql\n')
    .find((part) => part.includes(`VIEW ${name} AS`))
    ?.split('```')[0];
  if (sql === undefined) throw new Error(`docs/metrics-block-format.md has no view ${name}`);
  return sql.replace(/'s3:[^']*'/, `'${glob}'`);
}

function writeBlock(key: string, input: RawSeries[], options = {}): void {
  const path = join(folder, key);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, encodeMetricsBlock(input, options).bytes);
}

async function rowsOf(sql: string): Promise<Record<string, unknown>[]> {
  return (await connection.runAndReadAll(sql)).getRowObjects();
}

async function readWithDuckDb(view: string): Promise<string[]> {
  const rows = await rowsOf(`
    SELECT metric, labels, epoch_ms(ts) AS ms, value, epoch_ms(start_ts) AS start, delta FROM ${view} ORDER BY metric, labels, ts`);
  return rows.map((row) => {
    const value = row.value === null ? 'stale' : bitsOf(row.value as number);
    return [row.metric, row.labels, row.ms, value, row.delta ? 1 : 0, row.start ?? Number.NaN].join(' | ');
  });
}

/** A few series with every kind of value, long enough for full delta blocks and several pages. */
function mixedInput(length: number): RawSeries[] {
  return ['a', 'b', 'c'].map((instance, k) => ({
    series: seriesFromLabels([
      { name: '__name__', value: 'mixed' },
      { name: 'instance', value: instance },
    ]),
    samples: {
      ts: Float64Array.from({ length }, (_, i) => 1_700_000_000_000 + i * 15_000 + ((i * 37) % 200) + k),
      value: Float64Array.from({ length }, (_, i) => [i / 100, Math.sqrt(i), i * 1e12 + 0.5, -0, 1e300, Number.NaN, i % 7][(i >> 5) % 7]),
      stale: Uint8Array.from({ length }, (_, i) => (i % 97 === 96 ? 1 : 0)),
      startTs: Float64Array.from({ length }, (_, i) => (k === 0 ? Number.NaN : 1_690_000_000_000 + (i >> 8))),
      delta: k === 2 ? new Uint8Array(length).fill(1) : undefined,
    },
  }));
}

describe('DuckDB', () => {
  it('reads the very samples of a block of several pages and row groups through the documented view', async () => {
    const input = mixedInput(5_000);
    writeBlock('mixed/tenant=t/date=2026-11-23/block.parquet', input, { groupRows: 4_000, maxGroupRows: 6_000, pageRows: 1_000 });
    await connection.run(documentedView('samples', join(folder, 'mixed/*/*/*.parquet')));
    expect(await readWithDuckDb('samples')).toEqual(flatten(input));
  });

  it('reads the very samples of blocks longer than the longest delta block', async () => {
    const input = mixedInput(30_000);
    writeBlock('long/tenant=t/date=2026-11-23/block.parquet', input);
    await connection.run(documentedView('samples', join(folder, 'long/*/*/*.parquet')));
    expect((await readWithDuckDb('samples')).join('\n') === flatten(input).join('\n')).toBe(true);
  });

  it('reads the very samples of any block', async () => {
    await fc.assert(
      fc.asyncProperty(anyBlock, async (input) => {
        const name = `any${files++}`;
        writeBlock(`${name}/tenant=t/date=2026-11-23/block.parquet`, input, { groupRows: 20, maxGroupRows: 50, pageRows: 10 });
        await connection.run(documentedView('samples', join(folder, name, '*/*/*.parquet')));
        expect((await readWithDuckDb('samples')).sort()).toEqual(flatten(input).sort());
      }),
      { numRuns: 60 },
    );
  });

  it('shows one winner per series and time, chosen by value, while inputs and outputs of a compaction are both there', async () => {
    const at = (values: number[], stale: number[]): RawSeries[] => [
      {
        series: seriesFromLabels([{ name: '__name__', value: 'up' }]),
        samples: { ts: Float64Array.from(values, (_, i) => i), value: Float64Array.from(values), stale: Uint8Array.from(stale) },
      },
    ];
    writeBlock(
      'winner/tenant=1/date=2026-11-23/1.parquet',
      at([1, Number.NaN, Number.NaN, 5, -0, Number.NEGATIVE_INFINITY], [0, 0, 1, 0, 0, 0]),
    );
    writeBlock('winner/tenant=1/date=2026-11-23/2.parquet', at([2, 7, Number.NaN, Number.NaN, 0, Number.NaN], [0, 0, 0, 1, 0, 0]));
    writeBlock('winner/tenant=other/date=2026-11-23/1.parquet', at([9], [0]));
    await connection.run(documentedView('samples', join(folder, 'winner/*/*/*.parquet')));
    const rows = await rowsOf("SELECT value FROM samples WHERE tenant = '1' ORDER BY ts");
    expect(rows.map(({ value }) => value)).toEqual([2, 7, Number.NaN, 5, 0, Number.NEGATIVE_INFINITY]);
    expect(await rowsOf("SELECT value FROM samples WHERE tenant = 'other'")).toEqual([{ value: 9 }]);
  });

  it('has exact powers of ten, on which the documented expression rests', async () => {
    const rows = await rowsOf('SELECT pow(10, e::INTEGER) AS power FROM range(23) AS t(e) ORDER BY e');
    expect(rows.map(({ power }) => power)).toEqual([...Array(23).keys()].map((e) => 10 ** e));
  });

  it('sees statistics by which it can leave row groups out', async () => {
    writeBlock('stats/block.parquet', mixedInput(50), { groupRows: 1, maxGroupRows: 50 });
    const rows = await rowsOf(`
      SELECT path_in_schema AS name, stats_min_value AS min, stats_max_value AS max, compression, row_group_id AS id
      FROM parquet_metadata('${join(folder, 'stats/block.parquet')}') WHERE name IN ('metric', 'ts') ORDER BY id, name`);
    expect(rows).toHaveLength(6);
    expect(rows[0]).toMatchObject({ name: 'metric', min: 'mixed', max: 'mixed', compression: 'ZSTD' });
    expect(String(rows[1].min)).toContain('2023-11-14');
  });
});

describe('DuckDB on aggregates', () => {
  it('shows each row once, of the run that saw the most samples, through the documented view', async () => {
    const series = seriesFromLabels([{ name: '__name__', value: 'up' }]);
    const one = (...values: number[]) => Float64Array.from(values);
    const rows = (count: number) => {
      const columns = {
        sum: one(1),
        min: one(1),
        max: one(1),
        first: one(1),
        last: one(1),
        increase: one(0),
        firstTs: one(5),
        lastTs: one(6),
      };
      return encodeAggregateBlock([{ series, aggregates: { ts: one(0), count: one(count), ...columns } }]).bytes;
    };
    mkdirSync(join(folder, 'derived/tenant=t/date=1970-01-01'), { recursive: true });
    for (const count of [19, 20, 18]) writeFileSync(join(folder, `derived/tenant=t/date=1970-01-01/${count}.parquet`), rows(count));
    await connection.run(documentedView('aggregates', join(folder, 'derived/*/*/*.parquet')));
    expect((await rowsOf('SELECT count FROM aggregates')).map(({ count }) => Number(count))).toEqual([20]);
  });

  it('reads the very rows of any block', async () => {
    await fc.assert(
      fc.asyncProperty(anyAggregateBlock, async (input) => {
        const path = join(folder, `aggregates${files++}.parquet`);
        writeFileSync(path, encodeAggregateBlock(input, { groupRows: 20, maxGroupRows: 50, pageRows: 10 }).bytes);
        const rows = await rowsOf(`
          SELECT metric, labels, epoch_ms(ts) AS ts, count, sum, min, max, first, last, increase,
            epoch_ms(first_ts) AS first_ts, epoch_ms(last_ts) AS last_ts, delta FROM '${path}'`);
        const lines = rows.map(({ metric, labels, ts, count, first_ts, last_ts, delta, ...doubles }) => {
          const bits = ['sum', 'min', 'max', 'first', 'last', 'increase'].map((name) => bitsOf(doubles[name] as number));
          return [metric, labels, ts, count, ...bits, first_ts, last_ts, delta ? 1 : 0].join(' | ');
        });
        expect(lines).toEqual(flattenAggregates(input));
      }),
      { numRuns: 60 },
    );
  });
});

describe('hyparquet', () => {
  it('reads the very samples of a block', async () => {
    const input = mixedInput(5_000);
    const { bytes } = encodeMetricsBlock(input, { groupRows: 4_000, maxGroupRows: 6_000, pageRows: 1_000 });
    const rows = await parquetReadObjects({ file: bytes.slice().buffer, compressors });
    const lines = rows.map((row) => {
      const value = row.mantissa == null ? row.value : Number(row.mantissa) / 10 ** row.exponent;
      const start = row.start_ts == null ? Number.NaN : row.start_ts.getTime();
      return [row.metric, row.labels, row.ts.getTime(), value == null ? 'stale' : bitsOf(value), row.delta ? 1 : 0, start].join(' | ');
    });
    expect(lines).toEqual(flatten(input));
  });
});
