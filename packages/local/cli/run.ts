import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { readSettings } from '#config/settings.ts';
import { OpsError } from '#core/errors.ts';
import { functionNames } from '#functions/registry.ts';
import { openApp } from '#local/app.ts';
import type { Command } from './command.ts';

/** `quarterdeck run <function>`: one function, once, on this machine's data. */
export const runFunctionCommand: Command = {
  help: `Usage: quarterdeck run <function> [--at ISO] [--event FILE] [--dry-run]

Runs a function on the data in QUARTERDECK_DATA, whether or not a server runs on it too, and prints its result as JSON.
  --at ISO       run as of this time, such as 2026-11-23T10:00:00Z
  --event FILE   JSON handed to the function
  --dry-run      plan and print, change nothing
Functions: ${functionNames.join(', ')}`,
  async run(args) {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { at: { type: 'string' }, event: { type: 'string' }, 'dry-run': { type: 'boolean' }, json: { type: 'boolean' } },
    });
    const [name] = positionals;
    if (positionals.length !== 1 || name === undefined || !functionNames.includes(name)) {
      console.error(`quarterdeck run takes one function of: ${functionNames.join(', ')}`);
      return 2;
    }
    const event = await readEvent(values.event);
    const app = await openApp(readSettings());
    try {
      const result = await app.invoke(name, {
        ...event,
        ...(values.at && { at: parseTime(values.at) }),
        ...(values['dry-run'] && { dryRun: true }),
      });
      console.log(JSON.stringify(result ?? null, null, 2));
      await app.ports.bus.idle(); // what its events started
      return 0;
    } finally {
      await app.close();
    }
  },
};

async function readEvent(file: string | undefined): Promise<Record<string, unknown>> {
  if (file === undefined) return {};
  try {
    return JSON.parse(await readFile(file, 'utf8'));
  } catch (cause) {
    throw new OpsError('input', `--event ${file}: ${(cause as Error).message}`, { cause });
  }
}

function parseTime(text: string): string {
  const timeMs = Date.parse(text);
  if (Number.isNaN(timeMs)) throw new OpsError('input', `--at takes an ISO time such as 2026-11-23T10:00:00Z, got ${JSON.stringify(text)}`);
  return new Date(timeMs).toISOString();
}
