import { parseArgs } from 'node:util';
import { readConfigFolder } from '#config/config-folder.ts';
import { filesInHand } from '#config/pushed-config.ts';
import { compileAlerting } from '#functions/alerting.ts';
import { loadWholeConfig } from '#functions/whole-config.ts';
import type { Command } from './command.ts';

const VERBS = ['check', 'push'];

/** `quarterdeck config check|push DIR`: a configuration folder, checked or sent to AWS. */
export const configCommand: Command = {
  help: `Usage: quarterdeck config check|push DIR [--json]

  check  reads the folder as a start would, and says what is wrong by file, line and column, and what has no effect
  push   checks it, sends it to a deployment on AWS as one set, and puts it in force there within half a minute.
         Run it where the deployment's names and your credentials are known:
         npx sst shell --stage production -- npx quarterdeck config push ./config
Ends with 0 when done, 1 when something is wrong, 2 when misused.`,
  async run(args) {
    const { values, positionals } = parseArgs({ args: [...args], allowPositionals: true, options: { json: { type: 'boolean' } } });
    const [verb = '', dir] = positionals;
    if (!VERBS.includes(verb) || dir === undefined || positionals.length > 2) {
      console.error('quarterdeck config takes check or push, and one folder; --help tells more');
      return 2;
    }
    const files = await readConfigFolder(dir);
    const result = verb === 'push' ? await push(files) : await check(files);
    console.log(values.json ? JSON.stringify(result, null, 2) : `${dir}: ${result.message}`);
    return 0;
  },
};

type Files = Awaited<ReturnType<typeof readConfigFolder>>;

async function check(files: Files) {
  const { notes } = await compileAlerting(await loadWholeConfig(filesInHand(files)));
  return { files: files.length, notes, message: [`${files.length} files, nothing wrong`, ...notes].join('\n') };
}

async function push(files: Files) {
  const { pushConfigToAws } = await import('#functions/aws-config.ts'); // the AWS clients, which nothing else here needs
  const result = await pushConfigToAws(files, Date.now);
  const isSame = result.version === result.replaced;
  return { ...result, message: isSame ? 'is in force already' : `${files.length} files are in force as version ${result.version}` };
}
