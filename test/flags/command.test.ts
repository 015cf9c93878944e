import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { readSettings } from '#config/settings.ts';
import { runCommand } from '#local/cli/run-command.ts';
import { type LocalServer, startServer } from '#local/serve.ts';

const onOff = { state: 'ENABLED', variants: { on: true, off: false }, defaultVariant: 'off' };

describe('quarterdeck flags', () => {
  const folder = mkdtempSync(join(tmpdir(), 'quarterdeck-flags-command-'));
  const write = (name: string, value: unknown) => {
    const path = join(folder, name);
    writeFileSync(path, typeof value === 'string' ? value : JSON.stringify(value));
    return path;
  };
  let server: LocalServer;

  beforeAll(async () => {
    mkdirSync(join(folder, 'flags'));
    write('flags/shop.json', { flags: { filed: onOff } });
    const variables = { PORT: '0', QUARTERDECK_DATA: join(folder, 'data'), QUARTERDECK_CONFIG: folder };
    server = await startServer(readSettings({ ...variables, QUARTERDECK_SCHEDULES: 'off', QUARTERDECK_SELF: 'off' }), () => {});
  });
  afterAll(async () => {
    await server.close();
    rmSync(folder, { recursive: true });
  });
  afterEach(() => vi.restoreAllMocks());

  const run = async (...args: string[]) => {
    const told: string[] = [];
    for (const name of ['log', 'error'] as const) vi.spyOn(console, name).mockImplementation((line) => void told.push(String(line)));
    return { code: await runCommand(['flags', ...args]), text: told.join('\n') };
  };
  const ask = (...args: string[]) => run(...args, '--url', server.url);

  it('checks files, and says what is wrong by its place', async () => {
    const good = write('good.json', { flags: { a: onOff, b: onOff } });
    const bad = write('bad.json', { flags: { a: { ...onOff, targeting: { moon: [] } } } });
    expect(await run('check', good)).toEqual({ code: 0, text: `${good}: 2 flags, all well` });
    const { code, text } = await run('check', good, bad, join(folder, 'none.json'), write('no.json', '{'));
    expect(code).toBe(1);
    expect(text).toMatch(/bad\.json: flags\.a\.targeting: "moon" is no operation/);
    expect(text).toMatch(/none\.json: cannot be read: ENOENT/);
    expect(text).toMatch(/no\.json: is no JSON/);
    expect(JSON.parse((await run('check', bad, '--json')).text)).toMatchObject({
      files: [{ problems: [/moon/] }].map(() => ({ flags: 0 })),
    });
  });

  it('imports, lists, rolls out, kills and revives flags of a server', async () => {
    const file = write('unleash.json', { features: [{ name: 'beta', enabled: true, strategies: [{ name: 'moon' }] }] });
    expect(JSON.parse((await ask('import', 'unleash', file, '--dry-run')).text.split('\nnote')[0] as string)).toMatchObject({
      flags: { beta: {} },
    });
    expect(await ask('import', 'unleash', file)).toEqual({
      code: 0,
      text: 'beta: created\nnote: beta: the strategy moon is unknown here: it never holds',
    });
    expect(await ask('set-rollout', 'filed', '12.5%', '--by', 'ann', '--reason', 'trial')).toEqual({
      code: 0,
      text: 'filed is at version 1',
    });
    expect((await ask('kill', 'beta', '--by', 'ann')).code).toBe(0);
    const { text } = await ask('list');
    expect(text.split('\n').slice(-3)).toEqual([
      expect.stringMatching(/^flag +state +rollout +from$/),
      expect.stringMatching(/^beta +turned off by ann +API, version 2$/),
      expect.stringMatching(/^filed +enabled +12\.5 % +flags\/shop\.json$/),
    ]);
    expect((await ask('revive', 'beta', '--json')).text).toMatch(/"version":3/);
    expect(JSON.parse((await ask('list', '--json')).text).flags).toHaveLength(2);
  });

  it.each<[readonly string[], number, RegExp]>([
    [['set-rollout', 'nobody', '5'], 1, /there is no flag "nobody"/],
    [['kill', 'filed', '--variant', 'moon'], 1, /"moon" is no variant/],
    [['set-rollout', 'filed', '101'], 2, /from 0 to 100; got "101"/],
    [['set-rollout', 'filed', '-1'], 2, /./],
    [['set-rollout', 'filed'], 2, /^usage: quarterdeck flags set-rollout FLAG PERCENTAGE \[/],
    [['import', 'moon', 'x'], 2, /takes unleash or flagd/],
    [['import', 'unleash', '/nowhere.json'], 1, /nowhere\.json: cannot be read/],
    [['constructor'], 2, /takes check, list/],
    [[], 2, /takes check, list/],
  ])('ends %j with %d', async (args, code, message) => {
    expect(await ask(...args)).toEqual({ code, text: expect.stringMatching(message) });
  });
});
