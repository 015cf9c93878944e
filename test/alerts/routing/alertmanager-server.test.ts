import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseAlertmanagerConfig } from '#alerts/routing/config.ts';
import { fingerprintLabels } from '#alerts/routing/fingerprint.ts';
import { groupAlerts } from '#alerts/routing/group.ts';
import { createInhibitor } from '#alerts/routing/inhibition.ts';
import { encodeMatcher } from '#alerts/routing/matchers.ts';
import { buildRouteTree } from '#alerts/routing/route-tree.ts';
import { createSilencer } from '#alerts/routing/silence.ts';
import type { LabelSet } from '#model/alert.ts';
import type { Matcher } from '#model/matcher.ts';
import { freePort } from '#test/aws/free-port.ts';
import { debianProgram } from '#test/debian.ts';
import { anyConfig } from './route-samples.ts';

const alertmanager = debianProgram('prometheus-alertmanager', 'prometheus-alertmanager');

/** Debian's build reads its templates below /usr/share, where nothing is installed: it runs in a view of the file system that has them. */
const overlay = `mount -t overlay overlay -o "lowerdir=$1:/usr/share" /usr/share && shift && exec "$@"`;
const share = resolve(alertmanager ?? '/', '..', '..', 'share');
const wrap = ['-rm', 'sh', '-c', overlay, 'sh', share];

/** Why there is no Alertmanager to compare with; undefined where there is one. */
function absence(): string | undefined {
  if (alertmanager === undefined) return 'none: test/debian.sh unpack prometheus-alertmanager fetches it on Debian';
  const tried = spawnSync('unshare', [...wrap, alertmanager, '--version']);
  return tried.status === 0 ? undefined : 'it cannot be given its templates: unshare or overlay mounts are not allowed here';
}

const missing = absence();

interface ListedAlert {
  readonly fingerprint: string;
  readonly labels: LabelSet;
  readonly status: { readonly silencedBy: string[]; readonly inhibitedBy: string[] };
}

const inhibitRules = `
inhibit_rules:
- source_match: {severity: a}
  target_match_re: {severity: 'b|ab'}
  equal: [team, job]
- source_matchers: [job="b", severity!="a"]
  target_matchers: [severity!="b"]
  equal: [team]
`;

const silences: { matchers: Matcher[] }[] = [
  {
    matchers: [
      { name: 'team', op: '=~', value: 'a.*' },
      { name: 'severity', op: '!=', value: 'b' },
    ],
  },
  {
    matchers: [
      { name: 'job', op: '=', value: 'ab' },
      { name: 'extra', op: '!~', value: '.*[xyz]' },
    ],
  },
];

const names = ['alertname', 'team', 'severity', 'job'];
const anyAlertLabels: fc.Arbitrary<LabelSet> = fc
  .tuple(
    fc.dictionary(fc.constantFrom(...names), fc.constantFrom('a', 'b', 'ab', 'a.b'), { minKeys: 1 }),
    fc.option(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 }), { nil: undefined }),
  )
  .map(([labels, extra]) => ({ ...labels, ...(extra === undefined ? {} : { extra }) }));

async function startAlertmanager(folder: string): Promise<{ url: string; stop: () => Promise<void> }> {
  const port = await freePort();
  const args = [`--config.file=${folder}/alertmanager.yml`, `--storage.path=${folder}/data`, `--web.listen-address=127.0.0.1:${port}`];
  const child = spawn('unshare', [...wrap, alertmanager as string, ...args, '--cluster.listen-address='], { stdio: 'ignore' });
  const ended = once(child, 'exit');
  const url = `http://127.0.0.1:${port}/api/v2`;
  const stop = async () => {
    child.kill('SIGKILL');
    await ended;
  };
  for (const endMs = Date.now() + 20_000; Date.now() < endMs; await sleep(50)) {
    if (
      await fetch(`${url}/status`).then(
        (response) => response.ok,
        () => false,
      )
    )
      return { url, stop };
  }
  await stop();
  throw new Error('Alertmanager did not start within 20 s');
}

async function post(url: string, body: unknown): Promise<void> {
  const response = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
  if (!response.ok) throw new Error(await response.text());
}

const list = async <T>(url: string) => (await (await fetch(url)).json()) as T;

describe.skipIf(missing !== undefined)(`Debian's Alertmanager${missing ? ` (${missing})` : ''}`, () => {
  it('has the same fingerprints, groups, silenced and inhibited alerts', { timeout: 60_000 }, async () => {
    const folder = await mkdtemp(join(tmpdir(), 'quarterdeck-alertmanager-'));
    const text = fc.sample(anyConfig, { numRuns: 40, seed: 11 }).sort((a, b) => b.length - a.length)[0] + inhibitRules;
    await writeFile(join(folder, 'alertmanager.yml'), text);
    const server = await startAlertmanager(folder);
    try {
      const nowMs = Date.now();
      const endsAtMs = nowMs + 3_600_000;
      const distinct = new Map(
        fc.sample(anyAlertLabels, { numRuns: 400, seed: 11 }).map((labels) => [fingerprintLabels(labels), { labels, endsAtMs }]),
      );
      for (const { matchers } of silences) {
        const times = { startsAt: new Date(nowMs - 1_000).toISOString(), endsAt: new Date(endsAtMs).toISOString() };
        await post(`${server.url}/silences`, { matchers: matchers.map(encodeMatcher), ...times, createdBy: 'test', comment: 'test' });
      }
      await post(
        `${server.url}/alerts`,
        [...distinct.values()].map(({ labels }) => ({ labels, endsAt: new Date(endsAtMs).toISOString() })),
      );
      await sleep(300); // it routes in the background
      const listed = await list<ListedAlert[]>(`${server.url}/alerts`);
      expect(listed.map(({ fingerprint }) => fingerprint).sort()).toEqual([...distinct.keys()].sort());
      expect(listed.map(({ labels }) => fingerprintLabels(labels))).toEqual(listed.map(({ fingerprint }) => fingerprint));

      const config = parseAlertmanagerConfig(text);
      const groups = groupAlerts(buildRouteTree(config.route), distinct.values());
      const there = await list<{ labels: LabelSet; receiver: { name: string }; alerts: ListedAlert[] }[]>(`${server.url}/alerts/groups`);
      const plain = (receiver: string, labels: LabelSet, alerts: readonly { labels: LabelSet }[]) =>
        JSON.stringify([receiver, Object.entries(labels).sort(), alerts.map((alert) => fingerprintLabels(alert.labels))]);
      expect(groups.map((group) => plain(group.route.options.receiver, group.labels, group.alerts)).sort()).toEqual(
        there.map((group) => plain(group.receiver.name, group.labels, group.alerts)).sort(),
      );

      const inhibit = createInhibitor(config.inhibitRules, distinct.values(), nowMs);
      const own = silences.map(({ matchers }, i) => ({
        id: String(i),
        matcherSets: [matchers],
        startsAtMs: 1,
        endsAtMs,
        updatedAtMs: 1,
        createdBy: '',
        comment: '',
      }));
      const silenced = createSilencer(own, nowMs);
      const states = (of: (labels: LabelSet) => unknown) => listed.map(({ labels, fingerprint }) => [fingerprint, labels, of(labels)]);
      const status = new Map(listed.map((alert) => [alert.fingerprint, alert.status]));
      expect(states((labels) => inhibit(labels) !== undefined)).toEqual(
        states((labels) => status.get(fingerprintLabels(labels))?.inhibitedBy.length !== 0),
      );
      expect(states((labels) => silenced(labels).length)).toEqual(
        states((labels) => status.get(fingerprintLabels(labels))?.silencedBy.length),
      );
      expect(listed.filter((alert) => alert.status.inhibitedBy.length > 0).length).toBeGreaterThan(20);
      expect(listed.filter((alert) => alert.status.silencedBy.length > 0).length).toBeGreaterThan(20);
    } finally {
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    }
  });
});
