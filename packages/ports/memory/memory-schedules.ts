import { assertSchedule } from '#ports/schedule-expression.ts';
import type { Schedule, Schedules } from '#ports/schedules.ts';
import { inTurn, type MemoryOptions } from './memory-options.ts';

/** Makes a list of schedules that lives in memory. It runs nothing. */
export function createMemorySchedules(options: MemoryOptions = {}): Schedules {
  const stored = new Map<string, Schedule>();
  return {
    async put(schedule) {
      assertSchedule(schedule);
      const copy = structuredClone(schedule);
      await inTurn(options, () => stored.set(copy.name, copy));
    },
    delete: (name) => inTurn(options, () => void stored.delete(name)),
    list: () => inTurn(options, () => [...stored.values()].map((schedule) => structuredClone(schedule))),
  };
}
