import fc from 'fast-check';
import { stringify } from 'yaml';
import type { LabelSet } from '#model/alert.ts';

const names = ['alertname', 'team', 'severity', 'job'];
const values = ['', 'a', 'b', 'ab', 'a.b', 'x"y\\', 'zwei wörter'];

const matcher = fc
  .tuple(
    fc.constantFrom(...names),
    fc.constantFrom('=', '!=', '=~', '!~'),
    fc.constantFrom('', 'a', 'b', 'ab', 'a|b', 'a.*', '.+', '(a|x).?', 'zwei.*'),
  )
  .map(([name, op, value]) => `${name}${op}"${value}"`);

interface RouteSample {
  readonly receiver?: string;
  readonly match?: Record<string, string>;
  readonly match_re?: Record<string, string>;
  readonly matchers?: readonly string[];
  readonly continue?: boolean;
  readonly group_by?: readonly string[];
  readonly routes?: readonly RouteSample[];
}

const receivers = ['r0', 'r1', 'r2', 'r3'];

const { node } = fc.letrec<{ node: RouteSample }>((tie) => ({
  node: fc.record(
    {
      receiver: fc.constantFrom(...receivers),
      match: fc.dictionary(fc.constantFrom(...names), fc.constantFrom('a', 'b', ''), { maxKeys: 1 }),
      match_re: fc.dictionary(fc.constantFrom(...names), fc.constantFrom('a|b', 'a.*'), { maxKeys: 1 }),
      matchers: fc.array(matcher, { maxLength: 2 }),
      continue: fc.boolean(),
      // an empty one overrides the parent's only since 0.31
      group_by: fc.oneof(fc.subarray(names, { minLength: 1 }), fc.constant(['...'])),
      routes: fc.oneof({ maxDepth: 3 }, fc.constant([]), fc.array(tie('node'), { maxLength: 3 })),
    },
    { requiredKeys: [] },
  ),
}));

/** Texts of valid configurations with routing trees of every shape. */
export const anyConfig = fc
  .tuple(fc.array(node, { minLength: 1, maxLength: 8 }), fc.subarray(names))
  .map(([routes, groupBy]) =>
    stringify({ route: { receiver: 'r0', group_by: groupBy, routes }, receivers: receivers.map((name) => ({ name })) }),
  );

/** Labels that its matchers tell apart. */
export const anyLabels: fc.Arbitrary<LabelSet> = fc
  .dictionary(fc.constantFrom(...names), fc.constantFrom(...values.slice(1)), { minKeys: 1 })
  .map((labels) => ({ ...labels }));
