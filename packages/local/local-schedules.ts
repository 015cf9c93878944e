import { assertSchedule } from '#ports/schedule-expression.ts';
import type { Schedule, Schedules } from '#ports/schedules.ts';
import type { Table } from '#ports/table.ts';

/** Schedules in a table. */
export interface LocalSchedules extends Schedules {
  /** Calls after each put and delete of this process; returns what ends it. */
  onChange(listener: () => void): () => void;
}

const PARTITION = 'local/schedules';

/** Keeps the schedules that are made at run time in the table. */
export function createLocalSchedules(table: Table): LocalSchedules {
  const listeners = new Set<() => void>();
  const changed = () => {
    for (const listener of listeners) listener();
  };
  return {
    async put(schedule) {
      assertSchedule(schedule);
      await table.put({ pk: PARTITION, sk: schedule.name, schedule: JSON.stringify(schedule) });
      changed();
    },
    async delete(name) {
      await table.delete({ pk: PARTITION, sk: name });
      changed();
    },
    list: () => listSchedules(table),
    onChange(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}

async function listSchedules(table: Table): Promise<Schedule[]> {
  const schedules: Schedule[] = [];
  for (let after: string | undefined; ; ) {
    const page = await table.query({ pk: PARTITION, after });
    schedules.push(...page.items.map((item) => JSON.parse(item.schedule as string) as Schedule));
    if (page.next === undefined) return schedules;
    after = page.next;
  }
}
