import { userInfo } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import * as z from 'zod';
import { parseDuration } from '#core/duration.ts';
import { OpsError } from '#core/errors.ts';
import { type ApiClient, answerError } from './api-client.ts';
import { clientHelp, clientOptions, openClient } from './client-options.ts';
import type { Command } from './command.ts';
import { listLines, ReleaseAnswer, ReleaseList, showLines } from './release-text.ts';
import { waitForRelease } from './wait-for-release.ts';

const COMMANDS = ['approve', 'reject', 'pause', 'resume', 'abort', 'promote', 'retry'];
const option = { type: 'string' } as const;

/** `quarterdeck release ...`: releases from the command line, and in pipelines. */
export const releaseCommand: Command = {
  help: `Usage: quarterdeck release list [--application A] [--environment E] [--state S]
       quarterdeck release show ID
       quarterdeck release start APPLICATION ENVIRONMENT VERSION [--commit C] [--ref R] [--digest D] [--sbom-url URL] [--delivery KEY] [--wait]
       quarterdeck release approve|reject|pause|resume|abort|promote|retry ID [--why TEXT] [--step N] [--actor NAME]
       quarterdeck release wait ID [--timeout 1h]

  list     the newest first
  show     where a release stands, its gates and why they are open or shut, and its history
  start    starts a release; the same --delivery is the same release, however often it is started
  approve  opens the approval gate that it waits for; reject ends it
  pause    keeps it from its next step, until resume
  abort    rolls it back; or returns a promoted one while the version before it is kept
  promote  goes on with the next step whatever pause and gates of this one say
  retry    tries at once what waits for its next try, or starts it again when it has ended
  wait     shows how it gets on, and ends when it has ended
  --actor NAME   who decides; else who you are on this machine
  --step N       the step that is meant: at any other the command is refused
  --timeout D    how long to wait at most, such as 90m
${clientHelp}
Ends with 0 when done, 1 when something failed, 2 when misused. wait, and start --wait: 0 promoted, 1 rolled back, cancelled, or not to be
asked for a minute, 3 still under way when the time was up.`,
  async run(args) {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        ...clientOptions,
        ...{ application: option, environment: option, state: option, commit: option, ref: option, digest: option, delivery: option },
        ...{ 'sbom-url': option, why: option, step: option, actor: option, timeout: option, wait: { type: 'boolean' } },
      },
    });
    const [verb = '', ...names] = positionals;
    const misuse = findMisuse(verb, names, values);
    if (misuse !== undefined) {
      console.error(`quarterdeck release ${misuse}`);
      return 2;
    }
    return run(openClient(values), verb, names, values);
  },
};

interface Values {
  readonly json?: boolean | undefined;
  readonly application?: string | undefined;
  readonly environment?: string | undefined;
  readonly state?: string | undefined;
  readonly commit?: string | undefined;
  readonly ref?: string | undefined;
  readonly digest?: string | undefined;
  readonly delivery?: string | undefined;
  readonly 'sbom-url'?: string | undefined;
  readonly why?: string | undefined;
  readonly step?: string | undefined;
  readonly actor?: string | undefined;
  readonly timeout?: string | undefined;
  readonly wait?: boolean | undefined;
}

function findMisuse(verb: string, names: readonly string[], { step, timeout }: Values): string | undefined {
  const takes = verb === 'list' ? 0 : verb === 'start' ? 3 : ['show', 'wait', ...COMMANDS].includes(verb) ? 1 : undefined;
  if (takes === undefined) return `takes list, show, start, wait, ${COMMANDS.join(', ')}; --help tells more`;
  if (names.length !== takes)
    return `${verb} takes ${verb === 'start' ? 'application, environment and version' : takes === 0 ? 'no name' : 'the id of one release'}`;
  if (step !== undefined && !/^[1-9]\d{0,3}$/.test(step)) return `--step takes a number from 1 on, got ${JSON.stringify(step)}`;
  if (timeout !== undefined && !parseDuration(timeout)) return `--timeout takes a duration such as 90m, got ${JSON.stringify(timeout)}`;
  return undefined;
}

async function run(client: ApiClient, verb: string, names: readonly string[], values: Values): Promise<number> {
  const [first = '', environment, version] = names;
  if (verb === 'list') {
    const asked = { application: values.application, environment: values.environment, state: values.state };
    const given = Object.entries(asked).filter((entry): entry is [string, string] => entry[1] !== undefined);
    const text = await ask(client, `/api/releases?${new URLSearchParams(given)}`);
    print(values, text, () => listLines(read(ReleaseList, text).releases, process.stdout.columns));
    return 0;
  }
  if (verb === 'show') {
    const text = await ask(client, pathOf(first));
    print(values, text, () => showLines(read(ReleaseAnswer, text)));
    return 0;
  }
  if (verb === 'wait') return wait(client, first, values);
  const actor = values.actor ?? userInfo().username;
  if (verb === 'start') {
    const { commit, ref, digest: artifactDigest, 'sbom-url': sbomUrl, delivery } = values;
    const body = { application: first, environment, version, commit, ref, artifactDigest, sbomUrl, delivery, actor };
    const text = await ask(client, '/api/releases', body);
    const release = read(ReleaseAnswer, text);
    print(values, text, () => [`${release.id}: ${release.sentence}`]);
    return values.wait ? wait(client, release.id, values) : 0;
  }
  const step = values.step === undefined ? undefined : Number(values.step);
  const text = await ask(client, `${pathOf(first)}/${verb}`, { actor, why: values.why, step });
  print(values, text, () => [`${first}: ${read(ReleaseAnswer, text).sentence}`]);
  return 0;
}

function pathOf(id: string): string {
  return `/api/releases/${encodeURIComponent(id)}`;
}

async function ask(client: ApiClient, path: string, body?: object): Promise<string> {
  const init = body && { method: 'POST', body: JSON.stringify(body), headers: { 'content-type': 'application/json' } };
  const answer = await client.request(path, init);
  if (!answer.ok) throw await answerError(answer);
  return answer.text();
}

function read<T extends z.ZodType>(schema: T, text: string): z.infer<T> {
  const parsed = schema.safeParse(JSON.parse(text));
  if (parsed.success) return parsed.data;
  throw new OpsError('unavailable', `the server's answer is not as this command knows it: ${z.prettifyError(parsed.error)}`);
}

function print({ json }: Values, text: string, lines: () => readonly string[]): void {
  console.log(json ? text : lines().join('\n'));
}

async function wait(client: ApiClient, id: string, { timeout, json }: Values): Promise<number> {
  const timeoutMs = timeout === undefined ? Number.POSITIVE_INFINITY : (parseDuration(timeout) ?? 0);
  const deps = { now: Date.now, sleep: (ms: number) => sleep(ms), stream: process.stderr };
  const { code, release } = await waitForRelease(
    { ...deps, look: async () => read(ReleaseAnswer, await ask(client, pathOf(id))) },
    timeoutMs,
  );
  if (json && release) console.log(JSON.stringify(release));
  return code;
}
