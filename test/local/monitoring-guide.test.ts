import { mkdtempSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readHostMetrics } from '#agent/host-metrics.ts';
import { readSettings } from '#config/settings.ts';
import { type LocalServer, startServer } from '#local/serve.ts';
import { parseExpr } from '#query/promql/parse.ts';

const guidePath = resolve(import.meta.dirname, '..', '..', 'docs', 'monitoring', 'guide.md');

/** The part of the guide below a heading, its tables' rows as cells. */
function rowsBelow(guide: string, heading: string): string[][] {
  const section = guide.split(`\n## ${heading}\n`)[1]?.split('\n## ')[0] ?? '';
  const rows = section.split('\n').filter((line) => line.startsWith('| '));
  return rows.slice(1).map((line) =>
    line
      .slice(1, -1)
      .split(' | ')
      .map((cell) => cell.trim()),
  );
}

function quoted(cell: string): string[] {
  return [...cell.matchAll(/`([^`]+)`/g)].map(([, name]) => name);
}

describe('docs/monitoring/guide.md', () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'quarterdeck-guide-'));
  let server: LocalServer;
  let guide: string;
  let exposed: string;
  beforeAll(async () => {
    guide = await readFile(guidePath, 'utf8');
    server = await startServer(readSettings({ PORT: '0', QUARTERDECK_DATA: dataDir, QUARTERDECK_SELF: 'off' }), () => {});
    const body = 'up{job="a"} 1\nup{job="a"} 1 9999999999999\n';
    await fetch(`${server.url}/api/v1/import/prometheus`, { method: 'POST', body });
    await fetch(`${server.url}/api/v1/query?query=up`);
    exposed = await (await fetch(`${server.url}/metrics`)).text();
  });
  afterAll(async () => {
    await server.close();
    rmSync(dataDir, { recursive: true });
  });

  it('names every metric that a server exposes, and no other', () => {
    const named = rowsBelow(guide, 'Own metrics').flatMap(([metric]) => quoted(metric));
    const real = [...exposed.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name);
    expect(named.sort()).toEqual(real.sort());
  });

  it('names the labels that they have', () => {
    const labelsOf = new Map(
      rowsBelow(guide, 'Own metrics').map(([metric, labels]) => [quoted(metric)[0], labels.split(', ').sort().join()]),
    );
    const seen = [...exposed.matchAll(/^([a-z_]+?)(?:_bucket)?\{(.*)\}/gm)].map(([, name, labels]) => {
      const names = [...labels.matchAll(/([a-z_]+)="/g)].map(([, label]) => label).filter((label) => label !== 'le');
      return [name.replace(/_(sum|count)$/, (suffix) => (labelsOf.has(name) ? suffix : '')), names.sort().join()];
    });
    expect(seen.length).toBeGreaterThan(10);
    for (const [name, labels] of seen) expect([name, labelsOf.get(name)]).toEqual([name, labels]);
  });

  it('asks queries that parse, over metrics that there are', async () => {
    const host = (await readHostMetrics(Date.now())).map(({ name }) => name);
    const own = [...exposed.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name);
    const queries = rowsBelow(guide, 'First dashboard').flatMap(([, query]) => quoted(query));
    expect(queries.length).toBeGreaterThan(10);
    for (const query of queries) {
      expect(() => parseExpr(query)).not.toThrow();
      for (const [name] of query.matchAll(/\b(quarterdeck|process|nodejs|node)_\w+/g)) {
        expect([...own, ...host]).toContain(name.replace(/_(bucket|sum|count)$/, ''));
      }
    }
  });

  it('names metrics of the host that there are', async () => {
    const host = (await readHostMetrics(Date.now())).map(({ name }) => name);
    const named = rowsBelow(guide, 'The host').flatMap(([, metrics]) => quoted(metrics).filter((name) => name.startsWith('node_')));
    expect(named.length).toBeGreaterThan(25);
    expect(named.filter((name) => !host.includes(name))).toEqual([]);
  });
});
