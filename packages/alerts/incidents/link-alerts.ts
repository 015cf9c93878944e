import { compileMatchers } from '#alerts/routing/matchers.ts';
import { compareUtf8 } from '#core/text.ts';
import type { Member } from './incident.ts';
import { type Learned, pairBits, valueBits } from './learned.ts';
import type { IncidentSettings } from './settings.ts';

/** How many neighbours in time an alert is compared with, of those that share a label value. */
const NEIGHBOURS = 4;

export interface LinkInput {
  /** Clusters as they are, with their members. */
  readonly clusters: readonly (readonly Member[])[];
  /** Alerts that are in none yet. */
  readonly fresh: readonly Member[];
  readonly learned: Learned;
  readonly settings: IncidentSettings;
}

/** Clusters that fresh alerts have made or changed: which clusters there were (by place), and which fresh alerts came. */
export interface Linked {
  readonly clusters: readonly number[];
  readonly fresh: readonly Member[];
}

/**
 * Puts fresh alerts to each other and to clusters. Two alerts are linked that began within the window of each other and share enough: the bits of
 * the label values they have in common, and of their names, or a declared correlation. Links are transitive, as far as the span goes. Compared
 * are neighbours in time among those that share a value (so the work is in n log n), in an order that is the alerts' own: however they come,
 * they end in the same clusters.
 */
export function linkAlerts({ clusters, fresh, learned, settings }: LinkInput): Linked[] {
  const nodes = makeNodes(clusters, fresh, settings);
  const groups = createGroups(nodes, clusters, settings.spanMs);
  const score = createScore(learned, settings);
  const tryLink = (a: Node, b: Node, windowMs: number, isDeclared: boolean) => {
    if (!(a.isFresh || b.isFresh) || a.partition !== b.partition || b.member.startsAtMs - a.member.startsAtMs > windowMs) return;
    if (groups.find(a.group) === groups.find(b.group)) return;
    if (isDeclared || score(a, b) >= settings.linkBits) groups.union(a.group, b.group);
  };
  for (const { nodes: bucket, windowMs, isDeclared } of makeBuckets(nodes, settings)) {
    for (let i = 1; i < bucket.length; i++) {
      for (let k = Math.max(0, i - NEIGHBOURS); k < i; k++) tryLink(bucket[k] as Node, bucket[i] as Node, windowMs, isDeclared);
    }
  }
  for (const [a, b] of findPairs(nodes, learned, settings)) tryLink(a, b, settings.windowMs, false);
  return groups.list();
}

interface Node {
  readonly member: Member;
  /** Values of the group labels. */
  readonly partition: string;
  readonly isFresh: boolean;
  /** Where it is in the groups: a cluster has one place for all. */
  readonly group: number;
  /** Labels that count, in order. */
  readonly labels: readonly (readonly [string, string])[];
}

/** In the order of time; of clusters only those members that are near enough to a fresh alert. */
function makeNodes(clusters: LinkInput['clusters'], fresh: readonly Member[], settings: IncidentSettings): Node[] {
  const ignored = new Set([...settings.ignoreLabels, ...settings.groupLabels]);
  const windowMs = settings.declared.reduce((most, declared) => Math.max(most, declared.windowMs), settings.windowMs);
  const fromMs = fresh.reduce((least, { startsAtMs }) => Math.min(least, startsAtMs), Number.POSITIVE_INFINITY) - windowMs;
  const toMs = fresh.reduce((most, { startsAtMs }) => Math.max(most, startsAtMs), Number.NEGATIVE_INFINITY) + windowMs;
  const toNode = (member: Member, group: number, isFresh: boolean): Node => ({
    member,
    partition: settings.groupLabels.map((name) => JSON.stringify(member.labels[name] ?? '')).join(),
    isFresh,
    group,
    labels: Object.entries(member.labels).filter(([name]) => !ignored.has(name)),
  });
  const nodes = fresh.map((member, i) => toNode(member, clusters.length + i, true));
  for (const [i, members] of clusters.entries()) {
    for (const member of members) if (member.startsAtMs >= fromMs && member.startsAtMs <= toMs) nodes.push(toNode(member, i, false));
  }
  return nodes.sort((a, b) => a.member.startsAtMs - b.member.startsAtMs || compareUtf8(a.member.fingerprint, b.member.fingerprint));
}

interface Bucket {
  readonly nodes: Node[];
  readonly windowMs: number;
  readonly isDeclared: boolean;
}

/** Alerts by each value that they have; in the order of the values. */
function makeBuckets(nodes: readonly Node[], settings: IncidentSettings): Bucket[] {
  const buckets = new Map<string, Bucket>();
  const add = (key: string, node: Node, windowMs: number, isDeclared: boolean) => {
    const bucket = buckets.get(key);
    if (bucket) bucket.nodes.push(node);
    else buckets.set(key, { nodes: [node], windowMs, isDeclared });
  };
  const declared = settings.declared.map((each) => ({ ...each, test: compileMatchers(each.matchers) }));
  for (const node of nodes) {
    const { labels } = node.member;
    for (const [i, { labels: names, windowMs, test }] of declared.entries()) {
      if (!names.every((name) => (labels[name] ?? '') !== '') || !test(labels)) continue;
      add(`0${String(i).padStart(4, '0')}${JSON.stringify([node.partition, ...names.map((name) => labels[name])])}`, node, windowMs, true);
    }
    for (const [name, value] of node.labels) add(`1${node.partition}\u0000${name}\u0000${value}`, node, settings.windowMs, false);
  }
  return [...buckets]
    .filter(([, { nodes: bucket }]) => bucket.length > 1 && bucket.some(({ isFresh }) => isFresh))
    .sort((a, b) => compareUtf8(a[0], b[0]))
    .map(([, bucket]) => bucket);
}

/** Neighbours in time of names that are known to come together, whatever labels they have. */
function findPairs(nodes: readonly Node[], learned: Learned, { linkBits }: IncidentSettings): [Node, Node][] {
  const byName = new Map<string, Node[]>();
  for (const node of nodes) {
    const { alertname = '' } = node.member.labels;
    const same = byName.get(alertname);
    if (same) same.push(node);
    else byName.set(alertname, [node]);
  }
  const keys = Object.keys(learned.pairs).sort(compareUtf8);
  return keys.flatMap((key) => {
    const [a = '', b = ''] = key.split('\u0000');
    const [ofA, ofB] = [byName.get(a), byName.get(b)];
    return ofA && ofB && pairBits(learned, a, b) >= linkBits ? findNearest(ofA, ofB) : [];
  });
}

/** Each alert of either list with the last of the other before it in the same partition. */
function findNearest(a: readonly Node[], b: readonly Node[]): [Node, Node][] {
  const found: [Node, Node][] = [];
  const last = [new Map<string, Node>(), new Map<string, Node>()] as const;
  for (let i = 0, k = 0; i < a.length || k < b.length; ) {
    const isA = k >= b.length || (i < a.length && isBefore(a[i] as Node, b[k] as Node));
    const node = (isA ? a[i++] : b[k++]) as Node;
    const other = last[isA ? 1 : 0].get(node.partition);
    if (other) found.push([other, node]);
    last[isA ? 0 : 1].set(node.partition, node);
  }
  return found;
}

function isBefore({ member: a }: Node, { member: b }: Node): boolean {
  return a.startsAtMs < b.startsAtMs || (a.startsAtMs === b.startsAtMs && compareUtf8(a.fingerprint, b.fingerprint) < 0);
}

function createScore(learned: Learned, { linkBits }: IncidentSettings): (a: Node, b: Node) => number {
  const bits = new Map<string, number>();
  const bitsOf = (name: string, value: string) => {
    const key = `${name}\u0000${value}`;
    let known = bits.get(key);
    if (known === undefined) {
      known = valueBits(learned, name, value);
      bits.set(key, known);
    }
    return known;
  };
  return (a, b) => {
    let sum = 0;
    for (const [name, value] of a.labels) {
      if (b.member.labels[name] === value) sum += bitsOf(name, value);
      if (sum >= linkBits) return sum;
    }
    return sum + pairBits(learned, a.member.labels.alertname ?? '', b.member.labels.alertname ?? '');
  };
}

/** Disjoint sets with the span of their starts. */
function createGroups(nodes: readonly Node[], clusters: LinkInput['clusters'], spanMs: number) {
  const parent = new Map<number, number>();
  const spans = new Map<number, { from: number; to: number }>();
  for (const [i, members] of clusters.entries()) {
    parent.set(i, i);
    const span = { from: Number.POSITIVE_INFINITY, to: Number.NEGATIVE_INFINITY };
    for (const { startsAtMs } of members) {
      span.from = Math.min(span.from, startsAtMs);
      span.to = Math.max(span.to, startsAtMs);
    }
    spans.set(i, span);
  }
  for (const { isFresh, group, member } of nodes) {
    if (!isFresh) continue;
    parent.set(group, group);
    spans.set(group, { from: member.startsAtMs, to: member.startsAtMs });
  }
  const find = (group: number): number => {
    let root = group;
    while (parent.get(root) !== root) root = parent.get(root) as number;
    for (let at = group; at !== root; ) {
      const next = parent.get(at) as number;
      parent.set(at, root);
      at = next;
    }
    return root;
  };
  return {
    find,
    union(a: number, b: number): void {
      const [rootA, rootB] = [find(a), find(b)];
      const [spanA, spanB] = [spans.get(rootA), spans.get(rootB)] as [{ from: number; to: number }, { from: number; to: number }];
      const span = { from: Math.min(spanA.from, spanB.from), to: Math.max(spanA.to, spanB.to) };
      if (span.to - span.from > spanMs) return;
      parent.set(rootB, rootA);
      spans.set(rootA, span);
    },
    list(): Linked[] {
      const linked = new Map<number, { clusters: number[]; fresh: Member[] }>();
      const at = (group: number) => {
        const root = find(group);
        const known = linked.get(root) ?? { clusters: [], fresh: [] };
        linked.set(root, known);
        return known;
      };
      for (const { isFresh, group, member } of nodes) if (isFresh) at(group).fresh.push(member);
      for (const i of clusters.keys()) if (linked.has(find(i))) at(i).clusters.push(i);
      return [...linked.values()];
    },
  };
}
