import type { LabelSet } from '#model/alert.ts';
import type { Matcher } from '#model/matcher.ts';
import { indexMatchers } from './matcher-index.ts';
import { compileMatchers, formatMatchers, sortMatchers } from './matchers.ts';

/** A node of the routing tree as it is configured; what is left out comes from its parent. */
export interface RouteConfig {
  readonly receiver?: string | undefined;
  /** Empty: one group for all; left out with `groupByAll` false: as the parent. */
  readonly groupBy?: readonly string[] | undefined;
  readonly groupByAll: boolean;
  /** `match`, `match_re` and `matchers` together, sorted. */
  readonly matchers: readonly Matcher[];
  readonly continue: boolean;
  readonly groupWaitMs?: number | undefined;
  readonly groupIntervalMs?: number | undefined;
  readonly repeatIntervalMs?: number | undefined;
  readonly muteTimeIntervals: readonly string[];
  readonly activeTimeIntervals: readonly string[];
  readonly labels: LabelSet;
  readonly routes: readonly RouteConfig[];
}

/** What holds for the alerts of a route; all but the time intervals is inherited. */
export interface RouteOptions {
  readonly receiver: string;
  readonly groupBy: readonly string[];
  /** Every distinct label set is a group of its own. */
  readonly groupByAll: boolean;
  readonly groupWaitMs: number;
  readonly groupIntervalMs: number;
  readonly repeatIntervalMs: number;
  readonly muteTimeIntervals: readonly string[];
  readonly activeTimeIntervals: readonly string[];
  /** May be templates. */
  readonly labels: LabelSet;
}

/** A node of the routing tree. */
export interface Route {
  /** The matchers of the path, `{}/{team="a"}`; routes may share it. */
  readonly key: string;
  /** The key with each node's place among its siblings; unique in the tree. */
  readonly id: string;
  readonly matchers: readonly Matcher[];
  readonly continue: boolean;
  readonly options: RouteOptions;
  readonly routes: readonly Route[];
  readonly matches: (labels: LabelSet) => boolean;
  /** Places of the children that may match; all of them would do, more slowly. */
  readonly candidates: (labels: LabelSet) => readonly number[];
}

const rootOptions: RouteOptions = {
  receiver: '',
  groupBy: [],
  groupByAll: false,
  groupWaitMs: 30_000,
  groupIntervalMs: 300_000,
  repeatIntervalMs: 14_400_000,
  muteTimeIntervals: [],
  activeTimeIntervals: [],
  labels: {},
};

/** The tree with everything inherited and compiled. */
export function buildRouteTree(config: RouteConfig): Route {
  return buildRoute(config, rootOptions, '', '', '');
}

function buildRoute(config: RouteConfig, parent: RouteOptions, parentKey: string, parentId: string, place: string): Route {
  const matchers = sortMatchers(config.matchers);
  const own = formatMatchers(matchers);
  const key = parentKey + own;
  const id = parentId + own + place;
  const options = inheritOptions(config, parent);
  const routes = config.routes.map((child, i) => buildRoute(child, options, `${key}/`, `${id}/`, `/${i}`));
  return {
    key,
    id,
    matchers,
    continue: config.continue,
    options,
    routes,
    matches: compileMatchers(matchers),
    candidates: indexMatchers(routes.map((child) => child.matchers)),
  };
}

function inheritOptions(config: RouteConfig, parent: RouteOptions): RouteOptions {
  return {
    receiver: config.receiver ? config.receiver : parent.receiver,
    groupBy: config.groupBy ? [...new Set(config.groupBy)].sort() : parent.groupBy,
    groupByAll: config.groupBy ? false : config.groupByAll || parent.groupByAll,
    groupWaitMs: config.groupWaitMs ?? parent.groupWaitMs,
    groupIntervalMs: config.groupIntervalMs ?? parent.groupIntervalMs,
    repeatIntervalMs: config.repeatIntervalMs ?? parent.repeatIntervalMs,
    muteTimeIntervals: config.muteTimeIntervals,
    activeTimeIntervals: config.activeTimeIntervals,
    labels: { ...parent.labels, ...config.labels },
  };
}

/**
 * The routes that an alert takes, in their order: depth first, the first child that matches unless it says `continue`; a node
 * without a matching child is itself the destination. Never empty where the root has no matchers.
 */
export function routeAlert(tree: Route, labels: LabelSet): readonly Route[] {
  const found: Route[] = [];
  collectRoutes(tree, labels, found);
  return found;
}

function collectRoutes(route: Route, labels: LabelSet, found: Route[]): boolean {
  if (!route.matches(labels)) return false;
  const before = found.length;
  for (const place of route.candidates(labels)) {
    const child = route.routes[place] as Route;
    if (collectRoutes(child, labels, found) && !child.continue) break;
  }
  if (found.length === before) found.push(route);
  return true;
}

/** Every route, parents before their children. */
export function listRoutes(tree: Route): Route[] {
  return [tree, ...tree.routes.flatMap(listRoutes)];
}
