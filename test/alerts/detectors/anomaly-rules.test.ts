import { describe, expect, it } from 'vitest';
import type { EvaluateDeps } from '#alerts/evaluate/evaluate-deps.ts';
import { evaluateRules } from '#alerts/evaluate/evaluate-rules.ts';
import type { RuleSample } from '#alerts/rules/rule-result.ts';
import { createMemoryBlobs, type MemoryBlobs } from '#ports/memory/memory-blobs.ts';
import { createMemoryTable, type MemoryTable } from '#ports/memory/memory-table.ts';
import { minute, queryOver, rendererOver } from '#test/alerts/rules/make-rule.ts';
import { anomalyRule, groupOf, makeWave, sourceOf, step } from './anomaly-world.ts';

interface World {
  readonly table: MemoryTable;
  readonly blobs: MemoryBlobs;
  readonly written: (readonly RuleSample[])[];
}

const newWorld = (): World => ({ table: createMemoryTable(), blobs: createMemoryBlobs(), written: [] });

/** Dependencies of an evaluator that has just started, over what others left. */
function startEvaluator(
  { table, blobs, written }: World,
  name: string,
  nowMs: () => number,
  more: Partial<EvaluateDeps> = {},
): EvaluateDeps {
  let ids = 0;
  const spike = (i: number, usual: number) => (i === 110 ? 400 : usual);
  const source = sourceOf({
    a: makeWave(130, spike),
    b: makeWave(130, (_, usual) => usual ** 2),
    c: makeWave(130, (_, usual) => 1 / usual),
  });
  return {
    ...{ table, blobs, now: nowMs, newId: () => `${name}${ids++}` },
    groups: async () => [{ namespace: 'detectors/a.yaml', group: groupOf(anomalyRule()) }],
    openView: () => ({ query: queryOver(source), render: rendererOver(source), append() {} }),
    write: async (_tenant, samples) => void written.push(samples),
    generatorUrl: (expr) => expr,
    ...more,
  };
}

async function evaluateTo(world: World, count: number, evaluator: (i: number) => EvaluateDeps): Promise<number[]> {
  const changes: number[] = [];
  for (let i = 0; i < count; i++) {
    const { evaluations } = await evaluateRules(evaluator(i), ['t']);
    changes.push(...evaluations.map((evaluation) => evaluation.changes));
  }
  expect([...world.blobs.stored.keys()]).toEqual([expect.stringMatching('^alerts/t/state/')]);
  return changes;
}

describe('anomaly detectors in the service', () => {
  it('keep all that they learned in one object behind one item, whoever goes on', async () => {
    const [one, many] = [newWorld(), newWorld()];
    let nowMs = 0;
    const same = startEvaluator(one, 'a', () => nowMs);
    const changes = await evaluateTo(one, 120, (i) => {
      nowMs = i * step;
      return same;
    });
    await evaluateTo(many, 120, (i) => startEvaluator(many, `e${i}x`, () => i * step));
    expect(changes.flatMap((count, i) => (count > 0 ? [[i, count]] : []))).toEqual([
      [110, 1],
      [112, 1],
    ]);
    expect(many.written).toEqual(one.written);
    expect([...many.blobs.stored.values()].map(({ body }) => body)).toEqual([...one.blobs.stored.values()].map(({ body }) => body));
    expect(one.table.items().filter(({ pk }) => pk.startsWith('alerts/groups/'))).toHaveLength(1);
  });

  it('come to one state and one alert where two evaluate the same time at once', async () => {
    const world = newWorld();
    await evaluateTo(world, 110, (i) => startEvaluator(world, `e${i}x`, () => i * step));
    const nowMs = 110 * step;
    const other = startEvaluator(world, 'other', () => nowMs + 6 * minute); // the lease is over by then
    const between = { isDone: false };
    const first = startEvaluator(world, 'first', () => nowMs, {
      write: async (_tenant, samples) => {
        world.written.push(samples);
        if (between.isDone) return;
        between.isDone = true;
        expect((await evaluateRules(other, ['t'])).evaluations.map(({ conflict, changes }) => [conflict, changes])).toEqual([
          [undefined, 1],
        ]);
      },
    });
    const { evaluations } = await evaluateRules(first, ['t']);
    expect(evaluations.map(({ conflict }) => conflict)).toEqual([true]);
    expect(world.written.at(-1)).toEqual(world.written.at(-2));
    expect(world.table.items().filter(({ pk }) => pk.startsWith('alerts/inbox/'))).toHaveLength(1);
  });
});
