import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { quoteGo, unquoteUtf8 } from '#alerts/go-quote.ts';
import { parseClassicMatchers } from '#alerts/routing/classic-matchers.ts';
import { parseAlertmanagerConfig } from '#alerts/routing/config.ts';
import { fingerprintLabels } from '#alerts/routing/fingerprint.ts';
import { groupAlerts, groupLabels, sortAlerts } from '#alerts/routing/group.ts';
import { createInhibitor, type InhibitRule } from '#alerts/routing/inhibition.ts';
import { indexMatchers } from '#alerts/routing/matcher-index.ts';
import { compileMatchers, formatMatchers } from '#alerts/routing/matchers.ts';
import { parseMatchers } from '#alerts/routing/parse-matchers.ts';
import { printAlertmanagerConfig } from '#alerts/routing/print-config.ts';
import { buildRouteTree, listRoutes, routeAlert } from '#alerts/routing/route-tree.ts';
import { setSilence } from '#alerts/routing/set-silence.ts';
import { createSilencer, type Silence } from '#alerts/routing/silence.ts';
import { parseUtf8Matchers } from '#alerts/routing/utf8-matchers.ts';
import type { LabelSet } from '#model/alert.ts';
import type { Matcher } from '#model/matcher.ts';
import { anyConfig, anyLabels } from './route-samples.ts';

const anyText = fc.string({ unit: 'binary', maxLength: 12 });
const anyName = fc.string({ unit: 'binary', minLength: 1, maxLength: 8 });
const classicName = fc.stringMatching(/^[a-zA-Z_][a-zA-Z0-9_]{0,6}$/);
const op = fc.constantFrom<Matcher['op']>('=', '!=', '=~', '!~');
const escapePattern = (text: string) => text.replace(/[\\.+*?()|[\]{}^$]/g, '\\$&');

const anyMatchers = (name: fc.Arbitrary<string>) =>
  fc.array(
    fc
      .record({ name, op, value: anyText })
      .map((matcher): Matcher => (matcher.op.includes('~') ? { ...matcher, value: escapePattern(matcher.value) } : matcher)),
    { maxLength: 4 },
  );

describe('texts and matchers', () => {
  it('come back from how they are printed', () => {
    fc.assert(fc.property(anyText, (text) => void expect(unquoteUtf8(quoteGo(text))).toBe(text)));
    fc.assert(fc.property(anyMatchers(anyName), (matchers) => void expect(parseUtf8Matchers(formatMatchers(matchers))).toEqual(matchers)));
    fc.assert(
      fc.property(anyMatchers(classicName), (matchers) => {
        const printed = formatMatchers(matchers);
        expect(parseClassicMatchers(printed)).toEqual(matchers);
        expect(parseMatchers(printed)).toEqual({ matchers }); // without a warning: both parsers agree on what is printed
      }),
    );
  });

  it('of a pattern match what it was escaped from, and only that', () => {
    fc.assert(
      fc.property(anyText, anyText, (text, other) => {
        const test = compileMatchers([{ name: 'l', op: '=~', value: escapePattern(text) }]);
        expect(test({ l: text })).toBe(true);
        expect(test({ l: other })).toBe(text === other);
      }),
    );
  });
});

describe('an index of matchers', () => {
  it('leaves out none that match', () => {
    const value = fc.constantFrom('', 'a', 'b', 'c');
    const lists = fc.array(fc.array(fc.record({ name: fc.constantFrom('x', 'y', 'toString'), op, value }), { maxLength: 2 }), {
      maxLength: 12,
    });
    const labels = fc.dictionary(fc.constantFrom('x', 'y', 'z', 'toString'), fc.constantFrom('a', 'b', 'c'));
    fc.assert(
      fc.property(lists, labels, (all, one) => {
        const matching = (places: readonly number[]) => places.filter((place) => compileMatchers(all[place] as Matcher[])(one));
        expect(matching(indexMatchers(all)(one))).toEqual(matching(all.map((_, i) => i)));
      }),
    );
  });
});

describe('fingerprints', () => {
  it('are FNV-1a over the sorted labels', () => {
    const encode = new TextEncoder();
    fc.assert(
      fc.property(fc.dictionary(anyName, anyText, { maxKeys: 6 }), (labels) => {
        const bytes = Object.keys(labels)
          .sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
          .flatMap((name) => [...encode.encode(name), 255, ...encode.encode(labels[name]), 255]);
        const hash = bytes.reduce((sum, byte) => BigInt.asUintN(64, (sum ^ BigInt(byte)) * 0x100000001b3n), 0xcbf29ce484222325n);
        expect(fingerprintLabels(labels)).toBe(hash.toString(16).padStart(16, '0'));
      }),
    );
  });
});

describe('routing and grouping', () => {
  it('bring every alert to at least one route, each of which it matches all the way', () => {
    fc.assert(
      fc.property(anyConfig, anyLabels, (text, labels) => {
        const tree = buildRouteTree(parseAlertmanagerConfig(text).route);
        const routes = routeAlert(tree, labels);
        expect(routes.length).toBeGreaterThan(0);
        expect(new Set(routes.map(({ id }) => id)).size).toBe(routes.length);
        for (const route of routes) expect(route.matches(labels)).toBe(true);
        expect(new Set(listRoutes(tree).map(({ id }) => id)).size).toBe(listRoutes(tree).length);
      }),
      { numRuns: 60 },
    );
  });

  it('put every alert into exactly one group of each of its routes, among others of the same labels', () => {
    fc.assert(
      fc.property(anyConfig, fc.uniqueArray(anyLabels, { selector: fingerprintLabels, maxLength: 20 }), (text, all) => {
        const tree = buildRouteTree(parseAlertmanagerConfig(text).route);
        const alerts = all.map((labels) => ({ labels }));
        const groups = groupAlerts(tree, alerts);
        for (const alert of alerts) {
          const own = groups.filter((group) => group.alerts.includes(alert)).map(({ route }) => route.id);
          expect(own.sort()).toEqual(
            routeAlert(tree, alert.labels)
              .map(({ id }) => id)
              .sort(),
          );
        }
        for (const { route, labels, alerts: inside } of groups) {
          expect(inside.map((alert) => groupLabels(alert.labels, route.options))).toEqual(inside.map(() => labels));
          expect(sortAlerts([...inside].reverse())).toEqual(inside);
        }
        expect(new Set(groups.map(({ key, route }) => `${route.id} ${key}`)).size).toBe(groups.length);
      }),
      { numRuns: 60 },
    );
  });

  it('stay as they are when the configuration is printed and read again', () => {
    fc.assert(
      fc.property(anyConfig, fc.array(anyLabels, { maxLength: 5 }), (text, all) => {
        const config = parseAlertmanagerConfig(text);
        const again = buildRouteTree(parseAlertmanagerConfig(printAlertmanagerConfig(config)).route);
        const plain = (tree: typeof again) => all.map((labels) => routeAlert(tree, labels).map(({ id, options }) => ({ id, options })));
        expect(plain(again)).toEqual(plain(buildRouteTree(config.route)));
      }),
      { numRuns: 40 },
    );
  });
});

const side = fc.array(fc.record({ name: fc.constantFrom('team', 'severity', 'job'), op, value: fc.constantFrom('', 'a', 'b', 'ab') }), {
  maxLength: 2,
});
const anyRule: fc.Arbitrary<InhibitRule> = fc.record({
  sourceMatchers: side,
  targetMatchers: side,
  equal: fc.subarray(['team', 'job', 'none']),
});

describe('inhibition', () => {
  it('is what its definition says of every pair of alerts', () => {
    const alerts = fc.array(fc.tuple(anyLabels, fc.constantFrom(0, 5, 15)), { maxLength: 12 });
    fc.assert(
      fc.property(fc.array(anyRule, { maxLength: 3 }), alerts, (rules, listed) => {
        const all = listed.map(([labels, endsAtMs]) => ({ labels, endsAtMs }));
        const inhibit = createInhibitor(rules, all, 5);
        const get = (labels: LabelSet, name: string) => labels[name] ?? '';
        for (const { labels } of all) {
          const expected = rules.findIndex((rule) => {
            const [isSource, isTarget] = [compileMatchers(rule.sourceMatchers), compileMatchers(rule.targetMatchers)];
            const bothSides = isSource(labels) && isTarget(labels);
            const sources = all.filter((one) => one.endsAtMs > 5 && isSource(one.labels) && !(bothSides && isTarget(one.labels)));
            return isTarget(labels) && sources.some((one) => rule.equal.every((name) => get(one.labels, name) === get(labels, name)));
          });
          expect(inhibit(labels)?.rule ?? -1).toBe(expected);
        }
      }),
    );
  });
});

describe('silences', () => {
  const request = fc.record({
    pick: fc.nat(6),
    matcherSets: fc.constantFrom<Matcher[][]>(
      [[{ name: 'a', op: '=', value: '1' }]],
      [[{ name: 'a', op: '=~', value: '1|2' }]],
      [[{ name: 'b', op: '=', value: '1' }]],
    ),
    start: fc.integer({ min: -4, max: 4 }),
    length: fc.integer({ min: 0, max: 8 }),
    later: fc.nat(3),
  });

  it('never change what was muted in the past, and mute as asked from now on', () => {
    const probes: LabelSet[] = [{ a: '1' }, { a: '2' }, { b: '1' }];
    const isMuted = (silences: Iterable<Silence>, second: number) => {
      const silencer = createSilencer([...silences], second * 1_000);
      return probes.map((labels) => silencer(labels).length > 0);
    };
    fc.assert(
      fc.property(fc.array(request, { maxLength: 10 }), (requests) => {
        const silences = new Map<string, Silence>();
        let second = 100;
        for (const [i, { pick, matcherSets, start, length, later }] of requests.entries()) {
          const id = [...silences.keys()][pick];
          const startsAtMs = (second + start) * 1_000;
          const wanted = { id, matcherSets, startsAtMs, endsAtMs: startsAtMs + length * 1_000, createdBy: '', comment: '' };
          const past = Array.from({ length: second - 90 }, (_, k) => isMuted(silences.values(), 90 + k));
          const plan = setSilence(silences, wanted, { nowMs: second * 1_000, newId: `s${i}` });
          for (const silence of plan.write) silences.set(silence.id, silence);
          expect(Array.from({ length: second - 90 }, (_, k) => isMuted(silences.values(), 90 + k))).toEqual(past);
          expect(silences.get(plan.id)).toMatchObject({ matcherSets, endsAtMs: wanted.endsAtMs, updatedAtMs: second * 1_000 });
          expect(plan.created).toBe(plan.id === `s${i}`);
          second += later;
        }
      }),
    );
  });
});
