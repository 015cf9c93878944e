import { describe, expect, it } from 'vitest';
import { parseScheduleExpression } from '#ports/schedule-expression.ts';

describe('schedule expressions', () => {
  it.each([
    ['rate(1 minute)', '2026-11-23T10:00:30', '2026-11-23T10:01:00'],
    ['rate(5 minutes)', '2026-11-23T10:05:00', '2026-11-23T10:10:00'],
    ['rate(12 hours)', '2026-11-23T10:00:00', '2026-11-23T12:00:00'],
    ['rate(1 day)', '2026-11-23T10:00:00', '2026-11-24T00:00:00'],
    ['cron(0 2 * * ? *)', '2026-11-23T02:00:00', '2026-11-24T02:00:00'],
    ['cron(0/15 * * * ? *)', '2026-11-23T10:16:00', '2026-11-23T10:30:00'],
    ['cron(0 18 ? * MON-FRI *)', '2026-11-27T18:00:00', '2026-11-30T18:00:00'],
    ['cron(0 18 ? * 2-6 *)', '2026-11-27T18:00:00', '2026-11-30T18:00:00'],
    ['cron(0 12 ? * 1 *)', '2026-11-23T10:00:00', '2026-11-29T12:00:00'],
    ['cron(15 10 ? * 6L 2026-2030)', '2026-11-23T10:00:00', '2026-11-27T10:15:00'],
    ['cron(0 9 ? * 2#1 *)', '2026-11-23T10:00:00', '2026-12-07T09:00:00'],
    ['cron(0 9 L * ? *)', '2026-11-23T10:00:00', '2026-11-30T09:00:00'],
    ['cron(0 9 15W * ? *)', '2026-11-23T10:00:00', '2026-12-15T09:00:00'],
    ['cron(0 0 29 2 ? *)', '2026-11-23T10:00:00', '2028-02-29T00:00:00'],
    ['at(2026-11-24T10:00:00)', '2026-11-23T10:00:00', '2026-11-24T10:00:00'],
  ])('%s is next due, after %s, at %s', (expression, after, next) => {
    const dueMs = parseScheduleExpression(expression).next(Date.parse(`${after}Z`));
    expect(dueMs === undefined ? undefined : new Date(dueMs).toISOString()).toBe(`${next}.000Z`);
  });

  it.each(['cron(0 0 30 2 ? *)', 'cron(0 0 1 1 ? 2020)', 'at(2026-11-23T10:00:00)'])('%s is never due again', (expression) => {
    expect(parseScheduleExpression(expression).next(Date.parse('2026-11-23T10:00:00Z'))).toBeUndefined();
  });

  it('refuses long and nested text at once', () => {
    for (const text of [
      `rate(${'1'.repeat(100_000)} minutes)`,
      `cron(${'* '.repeat(50_000)})`,
      '('.repeat(100_000),
      `rate(${'9'.repeat(7)} days)`,
    ]) {
      expect(() => parseScheduleExpression(text)).toThrow('is not a schedule expression');
    }
  });
});
