import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { freePort } from '#test/aws/free-port.ts';
import { debianProgram } from '#test/debian.ts';
import { query, startQuarterdeck } from './quarterdeck.ts';

const prometheus = debianProgram('prometheus', 'prometheus');
const missing = prometheus ? '' : ' (absent: test/debian.sh unpack prometheus fetches it on Debian)';

/** A Prometheus that scrapes itself and the server every second and writes all of it on. */
async function startPrometheus(folder: string, target: string): Promise<{ url: string; stop: () => Promise<void> }> {
  const port = await freePort();
  await writeFile(
    join(folder, 'prometheus.yml'),
    JSON.stringify({
      global: { scrape_interval: '1s' },
      scrape_configs: [
        { job_name: 'prometheus', static_configs: [{ targets: [`127.0.0.1:${port}`] }] },
        { job_name: 'quarterdeck-scraped', static_configs: [{ targets: [new URL(target).host] }] },
      ],
      remote_write: [{ url: `${target}/api/v1/write`, queue_config: { batch_send_deadline: '500ms' } }],
    }),
  );
  const child = spawn(
    prometheus as string,
    [`--config.file=${folder}/prometheus.yml`, `--storage.tsdb.path=${folder}/tsdb`, `--web.listen-address=127.0.0.1:${port}`],
    { stdio: 'ignore' },
  );
  return {
    url: `http://127.0.0.1:${port}`,
    async stop() {
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      await ended;
    },
  };
}

async function waitFor(what: string, seconds: number, holds: () => Promise<boolean>): Promise<void> {
  for (const endMs = Date.now() + seconds * 1_000; Date.now() < endMs; await sleep(300)) {
    if (await holds().catch(() => false)) return;
  }
  throw new Error(`not within ${seconds} s: ${what}`);
}

describe.skipIf(!prometheus)(`a real Prometheus server${missing}`, () => {
  it('writes here and gets the same answers, over a kill -9 of the server too', { timeout: 120_000 }, async () => {
    const folder = await mkdtemp(join(tmpdir(), 'quarterdeck-e2e-'));
    const port = String(await freePort());
    let server = await startQuarterdeck(join(folder, 'data'), { PORT: port, QUARTERDECK_SELF: 'off' });
    const peer = await startPrometheus(folder, server.url);
    try {
      await waitFor('samples of both jobs', 30, async () => (await query(server.url, 'up')).length === 2);
      await server.end('SIGKILL');
      await sleep(1_500);
      server = await startQuarterdeck(join(folder, 'data'), { PORT: port, QUARTERDECK_SELF: 'off' });
      await waitFor('the same samples there and here', 45, async () => {
        const at = Math.floor(Date.now() / 1_000) - 4;
        for (const expr of [`count_over_time(up[10s] @ ${at})`, `count({__name__=~".+"} @ ${at})`, `prometheus_build_info @ ${at}`]) {
          const [here, there] = await Promise.all([query(server.url, expr), query(peer.url, expr)]);
          const plain = (rows: typeof here) =>
            rows.map(({ metric, value }) => JSON.stringify([Object.entries(metric).sort(), value[1]])).sort();
          if (here.length === 0 || JSON.stringify(plain(here)) !== JSON.stringify(plain(there))) return false;
        }
        return true;
      });
      await waitFor('a rate', 30, async () => (await query(server.url, 'sum(rate(prometheus_http_requests_total[20s]))')).length === 1);
      const response = await fetch(`${server.url}/api/v1/metadata?metric=prometheus_build_info`);
      expect(((await response.json()) as { data: object }).data).toBeTypeOf('object');
    } finally {
      await peer.stop();
      expect(await server.end('SIGTERM')).toBe(0);
      await rm(folder, { recursive: true, force: true });
    }
  });
});
