import { describe, expect, it } from 'vitest';
import { createCompactionNudge } from '#local/compaction-nudge.ts';

/** Timers that fire when told to. */
function handTimers() {
  let armed: (() => void) | undefined;
  return {
    timers: {
      after(_delayMs: number, call: () => void) {
        armed = call;
        return () => {
          armed = undefined;
        };
      },
    },
    fire: () => armed?.(),
  };
}

function counted() {
  let runs = 0;
  let finish = () => {};
  const compact = () => {
    runs++;
    return new Promise<void>((resolve) => {
      finish = resolve;
    });
  };
  const finishRun = async () => {
    finish();
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { compact, runs: () => runs, finish: finishRun };
}

describe('the compaction nudge', () => {
  it('waits for a pause where some requests came', () => {
    const { timers, fire } = handTimers();
    const { compact, runs } = counted();
    const nudge = createCompactionNudge(timers, compact);
    for (let i = 0; i < 70; i++) nudge.stored();
    expect(runs()).toBe(0);
    fire();
    expect(runs()).toBe(1);
  });

  it('leaves a trickle to the schedule', () => {
    const { timers, fire } = handTimers();
    const { compact, runs } = counted();
    const nudge = createCompactionNudge(timers, compact);
    for (let i = 0; i < 60; i++) nudge.stored();
    fire();
    expect(runs()).toBe(0);
  });

  it('does not wait for a pause where very many came, and never runs twice at once', async () => {
    const { timers } = handTimers();
    const { compact, runs, finish } = counted();
    const nudge = createCompactionNudge(timers, compact);
    for (let i = 0; i < 5_000; i++) nudge.stored();
    expect(runs()).toBe(1);
    await finish();
    nudge.stored();
    expect(runs()).toBe(2);
  });

  it('does nothing any more once stopped', () => {
    const { timers, fire } = handTimers();
    const { compact, runs } = counted();
    const nudge = createCompactionNudge(timers, compact);
    for (let i = 0; i < 70; i++) nudge.stored();
    nudge.stop();
    fire();
    expect(runs()).toBe(0);
  });
});
