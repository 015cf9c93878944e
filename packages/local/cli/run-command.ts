import { isOpsError } from '#core/errors.ts';
import type { Command } from './command.ts';

interface Listed {
  /** One line for the list of commands. */
  readonly summary: string;
  /** Loads it when it is asked for: most need little of the whole. */
  readonly load: () => Promise<Command>;
}

const commands: Readonly<Record<string, Listed>> = {
  start: { summary: 'run everything on this machine', load: async () => (await import('./start.ts')).startCommand },
  run: { summary: 'run one function by hand', load: async () => (await import('./run.ts')).runFunctionCommand },
  import: { summary: 'bring files of metrics into a server', load: async () => (await import('./import.ts')).importCommand },
  query: { summary: 'ask a server in PromQL', load: async () => (await import('./query.ts')).queryCommand },
  rules: { summary: 'check Prometheus rule files, or run their unit tests', load: async () => (await import('./rules.ts')).rulesCommand },
  flags: {
    summary: 'check flag files, and list and change the flags of a server',
    load: async () => (await import('./flags.ts')).flagsCommand,
  },
  config: { summary: 'check a configuration, or send it to AWS', load: async () => (await import('./config.ts')).configCommand },
  backup: {
    summary: 'back up a folder, a table, a prefix, or Quarterdeck itself',
    load: async () => (await import('./backups/backup.ts')).backupCommand,
  },
  snapshots: { summary: 'list the snapshots of a repository', load: async () => (await import('./backups/snapshots.ts')).snapshotsCommand },
  restore: { summary: 'restore a snapshot, or a part of it', load: async () => (await import('./backups/restore.ts')).restoreCommand },
  check: {
    summary: 'check a backup repository, to the last bit if asked',
    load: async () => (await import('./backups/check.ts')).checkCommand,
  },
  forget: { summary: 'forget old snapshots by a policy, and prune', load: async () => (await import('./backups/forget.ts')).forgetCommand },
  drill: {
    summary: 'restore a snapshot beside, to prove that it can be',
    load: async () => (await import('./backups/drill.ts')).drillCommand,
  },
  copy: { summary: 'copy snapshots to another repository', load: async () => (await import('./backups/copy.ts')).copyCommand },
  repair: {
    summary: 'save what can be saved of a damaged backup repository',
    load: async () => (await import('./backups/repair.ts')).repairCommand,
  },
  release: { summary: 'start releases, decide them, and wait for them', load: async () => (await import('./release.ts')).releaseCommand },
};

/** Runs one command line; 0 done, 1 failed, 2 misused. */
export async function runCommand(argv: readonly string[]): Promise<number> {
  const [name = '', ...rest] = argv;
  const listed = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (!listed) {
    const isHelp = name === '' || name === '--help' || name === 'help';
    (isHelp ? console.log : console.error)(usage(isHelp ? undefined : name));
    return isHelp ? 0 : 2;
  }
  const command = await listed.load();
  if (rest.includes('--help')) {
    console.log(command.help);
    return 0;
  }
  try {
    return await command.run(rest);
  } catch (error) {
    if (!isOpsError(error) && !isMisuse(error)) throw error;
    console.error(`quarterdeck ${name}: ${error.message}${isOpsError(error) && error.hint ? `\n${error.hint}` : ''}`);
    return isMisuse(error) ? 2 : 1;
  }
}

function isMisuse(error: unknown): error is Error {
  return error instanceof Error && String((error as NodeJS.ErrnoException).code).startsWith('ERR_PARSE_ARGS');
}

function usage(unknown: string | undefined): string {
  const head = unknown === undefined ? '' : `quarterdeck: there is no command ${JSON.stringify(unknown)}\n\n`;
  const lines = Object.entries(commands).map(([name, { summary }]) => `  ${name.padEnd(10)} ${summary}`);
  return `${head}Usage: quarterdeck <command> [options]\n\n${lines.join('\n')}\n\n\`quarterdeck <command> --help\` tells more of each.`;
}
