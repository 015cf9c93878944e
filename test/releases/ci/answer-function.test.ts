import { describe, expect, it } from 'vitest';
import { isOpsError } from '#core/errors.ts';
import type { FunctionDeps } from '#functions/deps.ts';
import { run } from '#functions/releases/answer.ts';
import { createMemoryTable } from '#ports/memory/memory-table.ts';
import { deploymentReply, releaseEvent } from './answer-world.ts';
import { NOW } from './signed-deliveries.ts';

const nothing = { recorded: 0, sent: 0, retried: 0, gaveUp: 0, superseded: 0 };

describe('the function releases-answer', () => {
  const table = createMemoryTable();
  const deps = { table, now: () => NOW, newId: () => 'id', storage: {} } as unknown as FunctionDeps;

  it.each<[string, Record<string, unknown>]>([
    ['by the clock', {}],
    ['by an event that is told nobody', { 'detail-type': 'Canary Step Due', detail: releaseEvent({ reply: deploymentReply }) }],
    ['by an event, where no App is set', { 'detail-type': 'Release Promoted', detail: releaseEvent({ reply: deploymentReply }) }],
  ])('has nothing to do %s', async (_name, event) => {
    expect(await run(deps, event)).toEqual(nothing);
    expect(table.items()).toEqual([]);
  });

  it('refuses an event that is none', async () => {
    const error = await Promise.resolve(run(deps, { 'detail-type': 'Release Promoted', detail: { id: 1 } })).catch((each: unknown) => each);
    expect(isOpsError(error, 'input')).toBe(true);
  });
});
