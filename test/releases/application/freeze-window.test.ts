import { describe, expect, it } from 'vitest';
import { FreezeWindow, isFrozen } from '#releases/application/freeze-window.ts';

const friday = { weekdays: ['friday'], start: '16:00' };
const nights = { weekdays: ['friday', 'saturday'], start: '22:00', end: '06:00' };

describe('a freeze', () => {
  it.each([
    ['once, in it', { from: '2026-12-20T00:00:00Z', until: '2027-01-03T00:00:00Z' }, '2026-12-24T18:00:00Z', true],
    ['once, at its end', { from: '2026-12-20T00:00:00Z', until: '2027-01-03T00:00:00Z' }, '2027-01-03T00:00:00Z', false],
    [
      'once, at its beginning in another zone',
      { from: '2026-12-20T00:00:00+02:00', until: '2027-01-03T00:00:00Z' },
      '2026-12-19T22:00:00Z',
      true,
    ],
    ['a whole weekday', { weekdays: ['sunday'] }, '2026-11-29T00:00:00Z', true],
    ['the day before it', { weekdays: ['sunday'] }, '2026-11-28T23:59:59Z', false],
    ['from a time of day on', friday, '2026-11-27T16:00:00Z', true],
    ['before that time', friday, '2026-11-27T15:59:59Z', false],
    ['by the clock of its zone', { ...friday, timeZone: 'America/New_York' }, '2026-11-27T20:59:00Z', false],
    ['by the clock of its zone, later', { ...friday, timeZone: 'America/New_York' }, '2026-11-27T21:00:00Z', true],
    ['in the night', nights, '2026-11-27T23:00:00Z', true],
    ['in the morning after', nights, '2026-11-28T05:59:00Z', true],
    ['in the morning after the last', nights, '2026-11-29T05:59:00Z', true],
    ['in the morning before the first', nights, '2026-11-27T05:00:00Z', false],
    ['at noon between', nights, '2026-11-28T12:00:00Z', false],
    ['in the morning after the clocks changed', { ...nights, timeZone: 'Europe/Berlin' }, '2026-10-25T03:00:00Z', true],
  ])('%s', (_, window, time, expected) => {
    expect(isFrozen(FreezeWindow.parse(window), Date.parse(time))).toBe(expected);
  });
});
