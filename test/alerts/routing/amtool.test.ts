import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseAlertmanagerConfig } from '#alerts/routing/config.ts';
import { printAlertmanagerConfig } from '#alerts/routing/print-config.ts';
import { buildRouteTree, routeAlert } from '#alerts/routing/route-tree.ts';
import { isOpsError } from '#core/errors.ts';
import type { LabelSet } from '#model/alert.ts';
import { debianProgram } from '#test/debian.ts';
import { alertmanagerCorpus, readCases, readCorpus } from './corpus.ts';
import { anyConfig, anyLabels } from './route-samples.ts';

const amtool = debianProgram('prometheus-alertmanager', 'amtool');
const missing = amtool === undefined ? ' (no amtool: test/debian.sh unpack prometheus-alertmanager fetches it on Debian)' : '';
const run = promisify(execFile);

/** Files that 0.25 refuses and that newer ones take, by what it lacks. */
const newerThanAmtool = new Map([
  ['config/conf.mattermost-default-webhook-url-file.yml', 'mattermost_configs'],
  ['config/conf.mattermost-default-webhook-url.yml', 'mattermost_configs'],
  ['config/conf.rocketchat-default-token-file.yml', 'rocketchat_configs'],
  ['config/conf.rocketchat-default-token.yml', 'rocketchat_configs'],
  ['config/conf.slack-default-app-token.yml', 'slack_app_token'],
  ['config/conf.smtp-password-global-and-local.yml', 'auth_secret_file'],
  ['config/conf.telegram-default-bot-token-file.yml', 'the global bot token'],
  ['config/conf.telegram-default-bot-token.yml', 'the global bot token'],
  ['config/conf.wechat-default-api-secret-file.yml', 'api_secret_file'],
  ['doc-examples/route_labels.yml', 'labels of routes'],
  ['doc-examples/simple.yml', 'labels of receivers'],
]);

async function checkWithAmtool(file: string): Promise<boolean> {
  return run(amtool as string, ['check-config', file]).then(
    () => true,
    () => false,
  );
}

async function routeWithAmtool(file: string, labels: LabelSet): Promise<string> {
  const args = Object.entries(labels).map(([name, value]) => `${name}="${value.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`);
  const { stdout } = await run(amtool as string, ['config', 'routes', 'test', '--config.file', file, ...args]);
  return stdout.trim();
}

function routeHere(text: string, labels: LabelSet): string {
  return routeAlert(buildRouteTree(parseAlertmanagerConfig(text).route), labels)
    .map(({ options }) => options.receiver)
    .join(',');
}

/** At most so many at once as there are processors. */
async function mapSome<T, R>(items: readonly T[], map: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  const rest = [...items.entries()];
  const work = async () => {
    for (let next = rest.shift(); next; next = rest.shift()) results[next[0]] = await map(next[1]);
  };
  await Promise.all(Array.from({ length: Math.min(4, availableParallelism() + 1) }, work));
  return results;
}

async function inFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'quarterdeck-amtool-'));
  await use(folder).finally(() => rm(folder, { recursive: true, force: true }));
}

describe.skipIf(amtool === undefined)(`Debian's amtool${missing}`, () => {
  it('routes 150 label sets through 50 trees to the same receivers, as written and as printed again', { timeout: 60_000 }, () =>
    inFolder(async (folder) => {
      const configs = fc.sample(anyConfig, { numRuns: 50, seed: 7 });
      const labelSets = fc.sample(anyLabels, { numRuns: 150, seed: 7 });
      const files = await mapSome(
        configs.map((text, i) => ({ text, i })),
        async ({ text, i }) => {
          const file = join(folder, `${i}.yml`);
          await writeFile(file, i % 2 === 0 ? text : printAlertmanagerConfig(parseAlertmanagerConfig(text)));
          return file;
        },
      );
      const found = await mapSome(
        labelSets.map((labels, i) => ({ labels, i })),
        ({ labels, i }) => routeWithAmtool(files[i % files.length] as string, labels),
      );
      const here = labelSets.map((labels, i) => routeHere(configs[i % configs.length] as string, labels));
      expect(labelSets.map((labels, i) => [labels, here[i]])).toEqual(labelSets.map((labels, i) => [labels, found[i]]));
      expect(new Set(found).size).toBeGreaterThan(8);
    }),
  );

  it.skipIf(alertmanagerCorpus === undefined)(
    "takes and refuses the same of Alertmanager's files, but for what is newer than it",
    { timeout: 60_000 },
    async () => {
      const { files } = readCases<{ files: { file: string }[] }>('configs.json');
      const found = await mapSome(files, ({ file }) => checkWithAmtool(resolve(alertmanagerCorpus as string, file)));
      const differing = files.filter(({ file }, i) => found[i] !== isTaken(readCorpus(file)));
      expect(differing.map(({ file }) => file)).toEqual(files.map(({ file }) => file).filter((file) => newerThanAmtool.has(file)));
    },
  );

  it.skipIf(alertmanagerCorpus === undefined)(
    "routes as here through Alertmanager's files, and reads them as printed",
    { timeout: 60_000 },
    () =>
      inFolder(async (folder) => {
        const services = ['foo1', 'foo2', 'files', 'database', 'mysql', ''];
        const labels: LabelSet[] = services.flatMap((service) => [
          { service },
          { service, severity: 'critical', owner: 'team-X' },
          { service, owner: 'team-Y', owner2: 'team-X', test: '2' },
        ]);
        for (const file of ['config/conf.good.yml', 'cli/conf.routing.yml', 'cli/conf.routing-reverted.yml', 'ha/alertmanager.yml']) {
          const text = readCorpus(file);
          const printed = join(folder, 'printed.yml');
          await writeFile(printed, printAlertmanagerConfig(parseAlertmanagerConfig(text)));
          const found = await mapSome(labels, (one) => routeWithAmtool(printed, one));
          expect([file, labels.map((one) => routeHere(text, one))]).toEqual([file, found]);
        }
      }),
  );
});

function isTaken(text: string): boolean {
  try {
    parseAlertmanagerConfig(text);
    return true;
  } catch (error) {
    if (isOpsError(error, 'input')) return false;
    throw error;
  }
}
