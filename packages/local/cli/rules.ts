import { parseArgs } from 'node:util';
import { checkRuleFiles } from './check-rule-files.ts';
import type { Command } from './command.ts';
import { testRuleFiles } from './test-rule-files.ts';

/** `quarterdeck rules check|test FILE...`: Prometheus rule files checked, and their unit tests run. */
export const rulesCommand: Command = {
  help: `Usage: quarterdeck rules check FILE... [--lint duplicate-rules|none] [--lint-fatal] [--ignore-unknown-fields] [--json]
       quarterdeck rules test FILE... [--run REGEX]... [--ignore-unknown-fields] [--json]

  check  reads rule files as Prometheus 3 does, and says what is wrong by line and column
  test   runs files of unit tests in the form of promtool; the rule files that they name lie beside them
  --lint                    duplicate-rules (the default): two rules of the same name and labels; none: no such checks
  --lint-fatal              such a finding fails the command
  --run REGEX               only tests whose name it matches; may be repeated
  --ignore-unknown-fields   do not mind fields of rule files that Prometheus has not
Ends with 0 when all is well, 1 when something is wrong, 2 when misused, 3 when only --lint-fatal says so.`,
  async run(args) {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        lint: { type: 'string', default: 'duplicate-rules' },
        'lint-fatal': { type: 'boolean', default: false },
        'ignore-unknown-fields': { type: 'boolean', default: false },
        run: { type: 'string', multiple: true, default: [] },
        json: { type: 'boolean', default: false },
      },
    });
    const [verb = '', ...files] = positionals;
    const misuse = findMisuse(verb, files, values.lint);
    if (misuse !== undefined) {
      console.error(`quarterdeck rules ${misuse}`);
      return 2;
    }
    const ignoreUnknownFields = values['ignore-unknown-fields'];
    const { lines, json, code } =
      verb === 'check'
        ? await checkRuleFiles(files, { lint: values.lint !== 'none', isLintFatal: values['lint-fatal'], ignoreUnknownFields })
        : await testRuleFiles(files, { run: values.run, ignoreUnknownFields });
    console.log(values.json ? JSON.stringify(json, null, 2) : lines.join('\n'));
    return code;
  },
};

function findMisuse(verb: string, files: readonly string[], lint: string): string | undefined {
  if (verb !== 'check' && verb !== 'test') return 'takes check or test, and files; --help tells more';
  if (files.length === 0) return `${verb} takes at least one file`;
  if (!['all', 'duplicate-rules', 'none'].includes(lint)) return `check --lint takes duplicate-rules or none, got ${JSON.stringify(lint)}`;
  return undefined;
}
