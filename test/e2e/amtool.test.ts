import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readSettings } from '#config/settings.ts';
import { type LocalServer, startServer } from '#local/serve.ts';
import { debianProgram } from '#test/debian.ts';

const amtool = debianProgram('prometheus-alertmanager', 'amtool');
const missing = amtool === undefined ? ' (no amtool: test/debian.sh unpack prometheus-alertmanager fetches it on Debian)' : '';
const token = 'a-token-of-the-shop';
const tokens = { QUARTERDECK_TOKENS: `${token}=shop:ingest+query+admin` };
const execute = promisify(execFile);

const config = `
global: { resolve_timeout: 10m }
route:
  receiver: everybody
  group_by: [alertname]
  routes:
  - { matchers: [team="db"], receiver: db-team, continue: true }
receivers:
- name: everybody
  webhook_configs: [{ url: "http://hooks.example/a-secret" }]
- name: db-team
inhibit_rules:
- { source_matchers: [severity="page"], target_matchers: [severity="mail"], equal: [host] }
`;

interface Shown {
  readonly labels: Record<string, string>;
  readonly annotations: Record<string, string>;
  readonly receivers: { readonly name: string }[];
  readonly status: { readonly state: string };
}

describe.skipIf(amtool === undefined)(`Debian's amtool against the server${missing}`, () => {
  const folder = mkdtempSync(join(tmpdir(), 'quarterdeck-amtool-'));
  let server: LocalServer;
  beforeAll(async () => {
    mkdirSync(join(folder, 'config'));
    writeFileSync(join(folder, 'config', 'alertmanager.yml'), config);
    const variables = { PORT: '0', QUARTERDECK_DATA: join(folder, 'data'), QUARTERDECK_CONFIG: join(folder, 'config'), ...tokens };
    server = await startServer(readSettings({ ...variables, QUARTERDECK_SCHEDULES: 'off', QUARTERDECK_SELF: 'off' }), () => {});
  });
  afterAll(async () => {
    await server.close();
    rmSync(folder, { recursive: true });
  });

  const run = async (...args: string[]): Promise<string> => {
    const url = server.url.replace('http://', `http://shop:${token}@`);
    const { stdout } = await execute(amtool as string, [`--alertmanager.url=${url}/alertmanager`, ...args], { timeout: 60_000 });
    return stdout;
  };
  const alerts = async (...args: string[]): Promise<Shown[]> => JSON.parse(await run('-o', 'json', 'alert', 'query', ...args));
  const silences = async (...args: string[]) =>
    JSON.parse(await run('-o', 'json', 'silence', 'query', ...args)) as { id: string; comment: string; matchers: object[] }[];
  const names = (shown: readonly Shown[]) => shown.map(({ labels }) => labels.alertname).sort();

  it('adds alerts and finds them at once, by matchers, receivers and what holds them back', async () => {
    await run(
      'alert',
      'add',
      'Down',
      'team=db',
      'host=one',
      'severity=page',
      '--annotation=summary=it is down',
      '--generator-url=http://p/g',
    );
    await run('alert', 'add', 'Slow', 'host=one', 'severity=mail');
    await run('alert', 'add', 'Full', 'host=two', 'severity=mail', 'disk="a\\"b\\\\c"');
    expect(await alerts('alertname=Down')).toMatchObject([
      { annotations: { summary: 'it is down' }, receivers: [{ name: 'db-team' }], status: { state: 'active' } },
    ]);
    expect(names(await alerts())).toEqual(['Down', 'Full']);
    expect(names(await alerts('--inhibited'))).toEqual(['Slow']);
    expect(names(await alerts('--receiver=db.*'))).toEqual(['Down']);
    expect(names(await alerts('severity=~"m.*"', 'disk="a\\"b\\\\c"'))).toEqual(['Full']);
    expect(names(await alerts('severity!=page'))).toEqual(['Full']);
  });

  it('silences them, finds, changes and ends silences', async () => {
    const id = (await run('silence', 'add', '--author=me', '--comment=quiet', '--duration=1h', 'Full', 'host=~"t.."')).trim();
    expect(names(await alerts())).toEqual(['Down']);
    expect(names(await alerts('--silenced'))).toEqual(['Full']);
    expect(await silences('host=~"t.."')).toMatchObject([{ id, comment: 'quiet' }]);
    expect(await silences('host=other')).toEqual([]);
    const updated = JSON.parse(await run('-o', 'json', 'silence', 'update', '--comment=longer', '--duration=2h', id)) as { id: string }[];
    expect(updated).toMatchObject([{ id, comment: 'longer' }]);
    await run('silence', 'expire', id);
    expect(await silences()).toEqual([]);
    expect(await silences('--expired')).toMatchObject([{ id, comment: 'longer' }]);
    expect(names(await alerts())).toEqual(['Down', 'Full']);
    await expect(run('silence', 'add', '--author=me', '--comment=all', 'alertname=~".*"')).rejects.toThrow(
      /must not match the empty string/,
    );
    await expect(run('silence', 'expire', '00000000-0000-4000-8000-000000000000')).rejects.toThrow(/404/);
  });

  it('imports silences that it has printed, those that are not there any more among them', async () => {
    const ids = [];
    for (const host of ['three', 'four']) ids.push((await run('silence', 'add', '--author=me', '--comment=moved', `host=${host}`)).trim());
    const printed = (await silences()).map((silence) => ({ ...silence, id: silence.id.replace(/^.{8}/, '00000000') }));
    const file = join(folder, 'silences.json');
    writeFileSync(file, JSON.stringify(printed));
    await run('silence', 'import', file);
    const made = await silences();
    expect(made.map(({ comment }) => comment)).toEqual(['moved', 'moved', 'moved', 'moved']);
    await run('silence', 'expire', ...made.map(({ id }) => id));
    expect(await silences()).toEqual([]);
  });

  it('reads the configuration of the status: takes it, shows its routes, and sees no secret', async () => {
    const original = await run('config', 'show', '-o', 'json');
    const status = (await (
      await fetch(`${server.url}/alertmanager/api/v2/status`, { headers: { authorization: `Bearer ${token}` } })
    ).json()) as { config: { original: string } };
    expect(original).not.toContain('a-secret');
    const file = join(folder, 'shown.yml');
    writeFileSync(file, status.config.original);
    expect((await execute(amtool as string, ['check-config', file])).stdout).toMatch(/SUCCESS[\s\S]*1 inhibit rules\n.* - 2 receivers/);
    expect(await run('config', 'routes', 'show')).toMatch(/receiver: everybody[\s\S]*\{team="db"\}\s+continue: true\s+receiver: db-team/);
    expect((await run('config', 'routes', 'test', 'team=db')).trim()).toBe('db-team');
    expect((await run('config', 'routes', 'test', 'team=web')).trim()).toBe('everybody');
  });
});
