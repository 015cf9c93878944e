import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { OpsError } from '#core/errors.ts';
import { HOUR_MS, MINUTE_MS } from '#core/time.ts';
import { ReleaseAnswer } from '#local/cli/release-text.ts';
import { runCommand } from '#local/cli/run-command.ts';
import { waitForRelease } from '#local/cli/wait-for-release.ts';
import { createReleaseApp } from '#test/api/releases/release-app.ts';

const answer = (state: string, sentence = state, weight = 10) =>
  ReleaseAnswer.parse({
    id: 'r1',
    application: 'shop',
    environment: 'production',
    version: 'v2',
    state,
    step: 1,
    steps: 2,
    weight,
    sentence,
    gates: [],
    plan: [],
  });

/** Waits on answers in order, the last again and again, with a clock of its own. */
async function wait(answers: readonly (ReturnType<typeof answer> | Error)[], timeoutMs = HOUR_MS, isTTY = false) {
  let nowMs = 0;
  let at = 0;
  const written: string[] = [];
  const waited = await waitForRelease(
    {
      now: () => nowMs,
      sleep: async (ms) => {
        nowMs += ms;
      },
      look: async () => {
        const next = answers[Math.min(at++, answers.length - 1)];
        if (next instanceof Error) throw next;
        return next as ReturnType<typeof answer>;
      },
      stream: { isTTY, columns: 60, write: (text) => written.push(text) },
    },
    timeoutMs,
  );
  return { ...waited, written, nowMs };
}

describe('waiting for a release', () => {
  const down = new OpsError('unavailable', 'no server answers');

  it.each([
    ['promoted', 0],
    ['rolled-back', 1],
    ['cancelled', 1],
  ])('that is %s in the end', async (state, code) => {
    const { code: ended, written } = await wait([answer('queued'), answer('progressing'), answer('progressing'), answer(state)]);
    expect(ended).toBe(code);
    expect(written).toHaveLength(3);
    expect(written.at(-1)).toContain(`shop v2 in production: ${state}`);
  });

  it('tells a log what happens, and not each second that passes', async () => {
    const held = (seconds: number) => answer('progressing', `step 1: holding; held ${seconds} of 600 s; analysis running: look 1`);
    const stuck = (seconds: number) => answer('progressing', `stuck: no answer; tried 3 times, again in ${seconds} s`);
    const answers = [held(2), held(4), held(6), stuck(8), stuck(6), answer('promoted')];
    expect((await wait(answers)).written).toHaveLength(3);
    expect((await wait(answers, HOUR_MS, true)).written).toHaveLength(6);
  });

  it('ends when the time is up', async () => {
    expect(await wait([answer('progressing')], 5 * MINUTE_MS)).toMatchObject({ code: 3, nowMs: 5 * MINUTE_MS });
  });

  it('bears a server that is not there for a moment', async () => {
    expect((await wait([answer('progressing'), down, down, answer('promoted')])).code).toBe(0);
  });

  it('and fails with one that is not there for a minute, or that knows no such release', async () => {
    await expect(wait([down])).rejects.toThrow('no server answers');
    await expect(wait([new OpsError('input', 'there is no release')])).rejects.toThrow('there is no release');
  });

  it('draws over one line on a terminal, and lets nobody steer it', async () => {
    const { written } = await wait([answer('progressing', '\u001b]0;evil\u0007step 1\nof 2'), answer('promoted')], HOUR_MS, true);
    expect(written[0]?.length).toBeLessThan(65);
    expect([written[0]?.[0], written[0]?.slice(-3)]).toEqual(['\r', '\u001b[K']);
    expect(written[0]?.slice(1, -3)).not.toMatch(/\p{Cc}/u);
    expect(written.at(-1)?.endsWith('\n')).toBe(true);
  });
});

describe('quarterdeck release', () => {
  let app: ReturnType<typeof createReleaseApp>;
  let server: Server;
  const out: string[] = [];

  beforeEach(async () => {
    out.length = 0;
    app = createReleaseApp();
    server = createServer(async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      const body = chunks.length > 0 ? Buffer.concat(chunks) : null;
      const answered = await app.app.request(`http://127.0.0.1${request.url}`, {
        method: request.method ?? 'GET',
        headers: request.headers as Record<string, string>,
        body,
      });
      response.writeHead(answered.status, { 'content-type': 'application/json' });
      response.end(await answered.text());
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    for (const name of ['log', 'error'] as const) vi.spyOn(console, name).mockImplementation((line: string) => void out.push(line));
  });
  afterEach(() => {
    vi.restoreAllMocks();
    server.closeAllConnections();
    server.close();
  });
  const run = (...args: string[]) => {
    const { port } = server.address() as { port: number };
    return runCommand(['release', ...args, '--url', `http://127.0.0.1:${port}`, '--token', 'all']);
  };

  it('starts, shows, decides and lists', async () => {
    expect(await run('start', 'shop', 'production', 'v2', '--commit', 'c0ffee', '--json')).toBe(0);
    const { id } = JSON.parse(out[0] ?? '') as { id: string };
    await app.advance();
    expect(await run('show', id)).toBe(0);
    expect(out[1]).toContain('shop v2 in production: progressing');
    expect(out[1]).toContain('> 1. canary 10 % (10 %)');
    expect(out[0]).toContain('waits for its turn in production');
    expect(out[1]).toContain('- approval is shut: 0 of 1 approvals');
    expect(await run('approve', id, '--actor', 'ann', '--why', 'fine')).toBe(0);
    expect(out.at(-1)).not.toContain('approval shut');
    expect(await run('abort', id, '--step', '7')).toBe(1);
    expect(out.at(-1)).toContain('is at step 1 by now, not at 7');
    expect(await run('abort', id)).toBe(0);
    await app.advance();
    expect(await run('list', '--state', 'rolled-back')).toBe(0);
    expect(out.at(-1)).toContain('rolled-back');
    expect(await run('wait', id)).toBe(1);
    expect(await run('show', 'nope')).toBe(1);
  });

  it.each([
    ['no verb', []],
    ['an unknown verb', ['launch', 'x']],
    ['too few names', ['start', 'shop', 'production']],
    ['a step that is none', ['promote', 'x', '--step', '0']],
    ['a time that is none', ['wait', 'x', '--timeout', 'soon']],
    ['an unknown option', ['list', '--force']],
  ])('%s is misuse', async (_, args) => {
    expect(await run(...args)).toBe(2);
  });
});
