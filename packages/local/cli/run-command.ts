import { isOpsError } from '#core/errors.ts';
import { backupCommand } from './backups/backup.ts';
import { checkCommand } from './backups/check.ts';
import { copyCommand } from './backups/copy.ts';
import { drillCommand } from './backups/drill.ts';
import { forgetCommand } from './backups/forget.ts';
import { repairCommand } from './backups/repair.ts';
import { restoreCommand } from './backups/restore.ts';
import { snapshotsCommand } from './backups/snapshots.ts';
import type { Command } from './command.ts';
import { configCommand } from './config.ts';
import { flagsCommand } from './flags.ts';
import { importCommand } from './import.ts';
import { queryCommand } from './query.ts';
import { releaseCommand } from './release.ts';
import { rulesCommand } from './rules.ts';
import { runFunctionCommand } from './run.ts';
import { startCommand } from './start.ts';

const commands: Readonly<Record<string, Command>> = {
  start: startCommand,
  run: runFunctionCommand,
  import: importCommand,
  query: queryCommand,
  rules: rulesCommand,
  flags: flagsCommand,
  config: configCommand,
  backup: backupCommand,
  snapshots: snapshotsCommand,
  restore: restoreCommand,
  check: checkCommand,
  forget: forgetCommand,
  drill: drillCommand,
  copy: copyCommand,
  repair: repairCommand,
  release: releaseCommand,
};

/** Runs one command line; 0 done, 1 failed, 2 misused. */
export async function runCommand(argv: readonly string[]): Promise<number> {
  const [name = '', ...rest] = argv;
  const command = commands[name];
  if (!command) {
    const isHelp = name === '' || name === '--help' || name === 'help';
    (isHelp ? console.log : console.error)(usage(isHelp ? undefined : name));
    return isHelp ? 0 : 2;
  }
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
