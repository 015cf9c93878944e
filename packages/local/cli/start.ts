import { readSettings } from '#config/settings.ts';
import { startServer } from '#local/serve.ts';
import type { Command } from './command.ts';

/** `quarterdeck start`: the whole of it in one process, until SIGTERM or SIGINT. */
export const startCommand: Command = {
  help: `Usage: quarterdeck start

Serves ingest and queries on http://127.0.0.1:4318 and runs the scheduled functions, data in ./.quarterdeck.
Settings are environment variables: PORT, HOST, QUARTERDECK_DATA, QUARTERDECK_CONFIG, QUARTERDECK_TOKENS,
QUARTERDECK_SELF (on|off), QUARTERDECK_SCHEDULES (on|off). Ends on SIGTERM or SIGINT, requests under way first.`,
  async run() {
    const server = await startServer(readSettings(), (line) => console.error(line));
    console.log(`Quarterdeck is ready at ${server.url}`);
    await new Promise<void>((resolve) => {
      process.once('SIGTERM', () => resolve());
      process.once('SIGINT', () => resolve());
    });
    await server.close();
    return 0;
  },
};
