import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { parseAlertmanagerConfig } from '#alerts/routing/config.ts';
import { firstFlushMs, nextFlushMs, planFlush } from '#alerts/routing/flush.ts';
import { groupAlerts, groupKey, groupLabels } from '#alerts/routing/group.ts';
import { planNotification } from '#alerts/routing/notification.ts';
import { routeSettings } from '#alerts/routing/route-settings.ts';
import { buildRouteTree, listRoutes, type Route, routeAlert } from '#alerts/routing/route-tree.ts';
import type { Alert, LabelSet } from '#model/alert.ts';
import { alertmanagerCorpus, readCases, readCorpus } from './corpus.ts';

interface Flow {
  readonly repeat?: number;
  readonly insert?: readonly string[];
  readonly insertResolved?: readonly string[];
  readonly flushAfter?: 'groupWait' | 'groupInterval';
  readonly alerts?: readonly string[];
  readonly resolved?: readonly string[];
  readonly groupEmpty?: boolean;
}

const cases = readCases<{
  match: { name: string; route: string; cases: { labels: LabelSet; routes: (Record<string, unknown> & { key: string })[] }[] }[];
  walk: { route: string; receivers: string[] }[];
  groupByAll: { route: string; expected: { path: number[]; groupByAll: boolean }[] }[];
  routeLabels: { route: string; cases: { labels: LabelSet; routeLabels: LabelSet }[] }[];
  routeIds: { route: string; idsInAnyOrder: string[] }[];
  cliRouting: { configFile: string; labels: LabelSet; receivers: string[] }[];
  groups: {
    config: string;
    inputAlerts: LabelSet[];
    groups: { receiver: string; labels: LabelSet; groupKey: string; routeId: string; alerts: number[] }[];
    receiversOfAlert: string[][];
  };
  groupLabels: { labels: LabelSet; groupBy: string[]; groupByAll: boolean; expected: LabelSet }[];
  groupTiming: {
    options: { groupWait: number; groupInterval: number };
    alerts: Record<string, { labels: LabelSet; startsAt: number; endsAt: number }>;
    scenarios: Flow[][];
  };
  notifyNeeded: {
    cases: {
      lastNotification: { firing: number[]; resolved: number[]; timestamp: number | 'zero' | null } | null;
      firing: number[];
      resolved: number[];
      repeatInterval: number;
      sendResolved: boolean;
      notify: boolean;
    }[];
  };
}>('routes.json');

/** The route part of a configuration alone, its numbers being texts as everything that is read. */
function buildTree(route: string): Route {
  return buildRouteTree(routeSettings('classic', () => {}).parse(parse(route, { schema: 'failsafe' })));
}

const NOW = 1_700_000_000_000;
const ids = (numbers: readonly number[]) => numbers.map(String);

describe.skipIf(alertmanagerCorpus === undefined)("routes, by Alertmanager's own cases", () => {
  it('are matched with their options and keys', () => {
    expect(cases.match.flatMap((tree) => tree.cases)).toHaveLength(24);
    for (const { name, route, cases: own } of cases.match) {
      const tree = buildTree(route);
      for (const { labels, routes } of own) {
        const found = routeAlert(tree, labels).map(({ key, options }) => ({
          receiver: options.receiver,
          groupBy: options.groupBy,
          groupByAll: options.groupByAll,
          groupWait: options.groupWaitMs / 1_000,
          groupInterval: options.groupIntervalMs / 1_000,
          repeatInterval: options.repeatIntervalMs / 1_000,
          labels: options.labels,
          key,
        }));
        expect({ name, labels, found }).toEqual({ name, labels, found: routes });
      }
    }
  });

  it('are walked in order, and have ids and labels', () => {
    for (const { route, receivers } of cases.walk)
      expect(listRoutes(buildTree(route)).map(({ options }) => options.receiver)).toEqual(receivers);
    for (const { route, idsInAnyOrder } of cases.routeIds) {
      expect(new Set(listRoutes(buildTree(route)).map(({ id }) => id))).toEqual(new Set(idsInAnyOrder));
    }
    for (const { route, cases: own } of cases.routeLabels) {
      for (const { labels, routeLabels } of own) expect(routeAlert(buildTree(route), labels)[0]?.options.labels).toEqual(routeLabels);
    }
  });

  it('pass on grouping by all labels', () => {
    for (const { route, expected } of cases.groupByAll) {
      for (const { path, groupByAll } of expected) {
        const found = path.reduce((node, i) => node.routes[i] as Route, buildTree(route));
        expect([path, found.options.groupByAll]).toEqual([path, groupByAll]);
      }
    }
  });

  it('give the receivers that its command line gives', () => {
    for (const { configFile, labels, receivers } of cases.cliRouting) {
      const tree = buildRouteTree(parseAlertmanagerConfig(readCorpus(configFile)).route);
      expect(routeAlert(tree, labels).map(({ options }) => options.receiver)).toEqual(receivers);
    }
  });
});

describe.skipIf(alertmanagerCorpus === undefined)("groups, by Alertmanager's own cases", () => {
  it('hold the same alerts under the same keys in the same order', () => {
    const { config, inputAlerts, groups, receiversOfAlert } = cases.groups;
    const tree = buildRouteTree(parseAlertmanagerConfig(config).route);
    const alerts = inputAlerts.map((labels, index) => ({ labels, index }));
    const found = groupAlerts(tree, alerts).map((group) => ({
      receiver: group.route.options.receiver,
      labels: group.labels,
      groupKey: group.key,
      routeId: group.route.id,
      alerts: group.alerts.map(({ index }) => index),
    }));
    expect(found).toEqual(groups);
    expect(
      inputAlerts.map((labels) =>
        routeAlert(tree, labels)
          .map(({ options }) => options.receiver)
          .sort(),
      ),
    ).toEqual(receiversOfAlert);
    for (const { labels, expected, ...options } of cases.groupLabels) expect(groupLabels(labels, options)).toEqual(expected);
    expect(groupKey(tree, { b: 'x"y', a: '1' })).toBe('{}:{a="1", b="x\\"y"}');
  });

  it('are flushed at the same times with the same alerts', () => {
    const { options, alerts, scenarios } = cases.groupTiming;
    const timing = { groupWaitMs: options.groupWait * 1_000, groupIntervalMs: options.groupInterval * 1_000 };
    const build = (name: string, resolvedAtMs?: number): Alert & { name: string } => {
      const { labels, startsAt, endsAt } = alerts[name] as { labels: LabelSet; startsAt: number; endsAt: number };
      const startsAtMs = NOW + startsAt * 1_000;
      const endsAtMs = resolvedAtMs ?? NOW + endsAt * 1_000;
      return { name, labels, annotations: {}, startsAtMs: Math.min(startsAtMs, endsAtMs), endsAtMs, updatedAtMs: NOW, generatorUrl: '' };
    };
    for (const scenario of scenarios) {
      let held: (Alert & { name: string })[] = [];
      let nowMs = NOW;
      let dueMs: number | undefined;
      const steps = scenario.flatMap((step) => Array.from({ length: step.repeat ?? 1 }, () => step));
      for (const { insert = [], insertResolved = [], flushAfter, alerts: firing = [], resolved = [], groupEmpty } of steps) {
        const added = [...insert.map((name) => build(name)), ...insertResolved.map((name) => build(name, nowMs))];
        held = [...held.filter(({ name }) => !added.some((one) => one.name === name)), ...added];
        if (dueMs === undefined && added[0]) dueMs = firstFlushMs(timing, added[0], nowMs);
        if (groupEmpty) expect(held).toEqual([]);
        if (!flushAfter) continue;
        expect((dueMs as number) - nowMs).toBe(timing[`${flushAfter}Ms`]);
        nowMs = dueMs as number;
        const flush = planFlush(held, nowMs);
        expect(flush.alerts.filter(({ endsAtMs }) => endsAtMs === Number.POSITIVE_INFINITY).map(({ name }) => name)).toEqual(firing);
        expect(flush.resolved.map(({ name }) => name)).toEqual(resolved);
        expect(flush.alerts).toHaveLength(firing.length + resolved.length);
        held = held.filter(({ name }) => !resolved.includes(name));
        dueMs = nextFlushMs(timing, nowMs);
      }
    }
  });

  it('are told again when they must be', () => {
    expect(cases.notifyNeeded.cases).toHaveLength(11);
    for (const one of cases.notifyNeeded.cases) {
      const last = one.lastNotification;
      const sentAtMs = typeof last?.timestamp === 'number' ? NOW + last.timestamp * 1_000 : 0;
      const entry = last ? { firing: ids(last.firing), resolved: ids(last.resolved), sentAtMs } : undefined;
      const options = { repeatIntervalMs: one.repeatInterval * 1_000, sendResolved: one.sendResolved };
      expect([one, planNotification(entry, ids(one.firing), ids(one.resolved), options, NOW).notify]).toEqual([one, one.notify]);
    }
  });

  it('are told at once only where their first alert is older than the wait', () => {
    const wait = { groupWaitMs: 30_000 };
    expect(firstFlushMs(wait, { startsAtMs: NOW - 30_001 }, NOW)).toBe(NOW);
    expect(firstFlushMs(wait, { startsAtMs: NOW - 30_000 }, NOW)).toBe(NOW + 30_000);
  });
});
