import { readFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { parseArgs } from 'node:util';
import * as z from 'zod';
import { isOpsError, OpsError } from '#core/errors.ts';
import { parseFlagSet } from '#flags/flag-set.ts';
import type { ApiClient } from './api-client.ts';
import { answerError } from './api-client.ts';
import { clientHelp, clientOptions, openClient } from './client-options.ts';
import type { Command } from './command.ts';
import { drawTable } from './text-table.ts';

const options = {
  ...clientOptions,
  by: { type: 'string' },
  reason: { type: 'string' },
  variant: { type: 'string' },
  force: { type: 'boolean' },
  'dry-run': { type: 'boolean' },
} as const;

interface Values {
  readonly url?: string | undefined;
  readonly token?: string | undefined;
  readonly json?: boolean | undefined;
  readonly by?: string | undefined;
  readonly reason?: string | undefined;
  readonly variant?: string | undefined;
  readonly force?: boolean | undefined;
  readonly 'dry-run'?: boolean | undefined;
}

/** One word behind `quarterdeck flags`; `takes` is how many words follow it. */
interface Verb {
  readonly takes: readonly [number, number];
  readonly run: (words: readonly string[], values: Values) => Promise<number>;
}

const verbs: Readonly<Record<string, Verb>> = {
  check: { takes: [1, Number.POSITIVE_INFINITY], run: checkFiles },
  list: { takes: [0, 0], run: listFlags },
  'set-rollout': { takes: [2, 2], run: ([key, percentage], values) => setRollout(key as string, percentage as string, values) },
  kill: {
    takes: [1, 1],
    run: ([key], values) => change(values, 'POST', `${place(key)}/kill`, { variant: values.variant, ...saidBy(values) }),
  },
  revive: { takes: [1, 1], run: ([key], values) => change(values, 'DELETE', `${place(key)}/kill?${queryOf(saidBy(values))}`) },
  import: { takes: [2, 2], run: ([format, file], values) => importFile(format as string, file as string, values) },
};

/** `quarterdeck flags ...`: flag files checked, and the flags of a server listed and changed. */
export const flagsCommand: Command = {
  help: `Usage: quarterdeck flags check FILE... [--json]
       quarterdeck flags list [--json]
       quarterdeck flags set-rollout FLAG PERCENTAGE [--variant V] [--by WHO] [--reason WHY] [--force]
       quarterdeck flags kill FLAG [--variant V] [--by WHO] [--reason WHY]
       quarterdeck flags revive FLAG [--by WHO] [--reason WHY]
       quarterdeck flags import unleash|flagd FILE [--dry-run] [--by WHO] [--reason WHY]

  check        reads flag sets in flagd's form as a server would, and says what is wrong by its place
  list         every flag of the server, of files and written by API
  set-rollout  how many percent get the variant; who is in at one percentage is in at every larger one
  kill         turns a flag off for everybody, at once
  revive       lets it give again what it gave before
  import       takes what Unleash's client API gives, or a flag set of flagd's, flag by flag
  --variant V  what those get who are in, or everybody of a flag that is turned off
  --by WHO     who changes it, for the audit; your user's name if not given
  --reason WHY why, for the audit
  --force      even though a release drives the rollout
  --dry-run    only print what the file comes to
${clientHelp}
Ends with 0 when done, 1 when something is wrong, 2 when misused.`,
  async run(args) {
    const { values, positionals } = parseArgs({ args: [...args], allowPositionals: true, options });
    const [name = '', ...words] = positionals;
    const verb = Object.hasOwn(verbs, name) ? verbs[name] : undefined;
    if (!verb || words.length < verb.takes[0] || words.length > verb.takes[1]) {
      const usage = verb && flagsCommand.help.split('\n').find((line) => line.includes(` flags ${name} `));
      console.error(
        usage
          ? `usage:${usage.replace(/^Usage:|^ +/, ' ')}`
          : `quarterdeck flags takes ${Object.keys(verbs).join(', ')}; --help tells more`,
      );
      return 2;
    }
    return verb.run(words, values);
  },
};

const place = (key: string | undefined) => `/api/flags/${encodeURIComponent(key ?? '')}`;
const saidBy = ({ by, reason }: Values) => ({ by: by ?? userInfo().username, reason });

function queryOf(fields: Readonly<Record<string, string | undefined>>): URLSearchParams {
  return new URLSearchParams(Object.entries(fields).filter((entry): entry is [string, string] => entry[1] !== undefined));
}

async function checkFiles(files: readonly string[], { json }: Values): Promise<number> {
  const checked: { file: string; flags: number; problems: string[] }[] = [];
  for (const file of files) {
    try {
      checked.push({ file, flags: parseFlagSet(await readText(file)).flags.size, problems: [] });
    } catch (error) {
      if (!isOpsError(error)) throw error;
      checked.push({ file, flags: 0, problems: error.message.split('\n') });
    }
  }
  const lines = checked.flatMap(({ file, flags, problems }) =>
    problems.length > 0 ? problems.map((problem) => `${file}: ${problem}`) : [`${file}: ${flags} flags, all well`],
  );
  console.log(json ? JSON.stringify({ files: checked }, null, 2) : lines.join('\n'));
  return checked.some(({ problems }) => problems.length > 0) ? 1 : 0;
}

async function readText(file: string): Promise<string> {
  const text = await readFile(file, 'utf8').catch((cause: Error) => {
    throw new OpsError('input', `cannot be read: ${cause.message}`, { cause });
  });
  return text;
}

const Listed = z.object({
  flags: z.array(
    z.object({
      key: z.string(),
      source: z.string(),
      file: z.string().optional(),
      state: z.string().optional(),
      percentage: z.number().optional(),
      kill: z.object({ by: z.string() }).optional(),
      boundTo: z.string().optional(),
      version: z.number(),
    }),
  ),
  problems: z.array(z.string()),
});

async function listFlags(_words: readonly string[], values: Values): Promise<number> {
  const text = await asked(openClient(values), 'GET', '/api/flags');
  if (values.json) {
    console.log(text);
    return 0;
  }
  const { flags, problems } = Listed.parse(JSON.parse(text));
  for (const problem of problems) console.error(`note: ${problem}`);
  if (flags.length === 0) {
    console.error('there are no flags');
    return 0;
  }
  const column = (title: string, cell: (flag: (typeof flags)[number]) => string) => ({
    title,
    align: 'left' as const,
    cells: flags.map(cell),
  });
  const table = [
    column('flag', ({ key }) => key),
    column('state', ({ kill, state }) => (kill ? `turned off by ${kill.by}` : (state ?? 'unreadable').toLowerCase())),
    column(
      'rollout',
      ({ percentage, boundTo }) =>
        `${percentage === undefined ? '' : `${percentage} %`}${boundTo === undefined ? '' : ` (release ${boundTo})`}`,
    ),
    column('from', ({ file, version }) => file ?? `API, version ${version}`),
  ];
  console.log(drawTable(table, process.stdout.columns).join('\n'));
  return 0;
}

async function setRollout(key: string, text: string, values: Values): Promise<number> {
  const percentage = /^\d{1,3}(?:\.\d{1,3})?%?$/.test(text) ? Number(text.replace('%', '')) : Number.NaN;
  if (!(percentage <= 100)) {
    console.error(`quarterdeck flags: a percentage is from 0 to 100; got ${JSON.stringify(text)}`);
    return 2;
  }
  const { variant, force } = values;
  return change(values, 'POST', `${place(key)}/rollout`, { percentage, variant, force, ...saidBy(values) });
}

async function importFile(format: string, file: string, values: Values): Promise<number> {
  if (format !== 'unleash' && format !== 'flagd') {
    console.error(`quarterdeck flags: import takes unleash or flagd, and a file; got ${JSON.stringify(format)}`);
    return 2;
  }
  const body = await readText(file).catch((error: OpsError) => {
    throw new OpsError('input', `${file}: ${error.message}`);
  });
  const query = queryOf({ format, dryRun: values['dry-run'] ? 'true' : undefined, ...saidBy(values) });
  const text = await asked(openClient(values), 'POST', `/api/flags/import?${query}`, body);
  const { imported = [], notes, flags } = Imported.parse(JSON.parse(text));
  if (values.json || flags) console.log(flags ? JSON.stringify({ flags }, null, 2) : text);
  else for (const { key, result, message } of imported) console.log(`${key}: ${result}${message === undefined ? '' : `: ${message}`}`);
  for (const note of notes) console.error(`note: ${note}`);
  return imported.some(({ result }) => result === 'refused') ? 1 : 0;
}

const Imported = z.object({
  imported: z.array(z.object({ key: z.string(), result: z.string(), message: z.string().optional() })).optional(),
  flags: z.record(z.string(), z.unknown()).optional(),
  notes: z.array(z.string()),
});

const Changed = z.object({ key: z.string(), version: z.number() });

async function change(values: Values, method: string, path: string, body?: object): Promise<number> {
  const text = await asked(openClient(values), method, path, body && JSON.stringify(body));
  const { key, version } = Changed.parse(JSON.parse(text));
  console.log(values.json ? text : `${key} is at version ${version}`);
  return 0;
}

async function asked(client: ApiClient, method: string, path: string, body?: string): Promise<string> {
  const answer = await client.request(path, {
    method,
    ...(body !== undefined && { body, headers: { 'content-type': 'application/json' } }),
  });
  if (!answer.ok) throw await answerError(answer);
  return answer.text();
}
