import { describe, expect, it } from 'vitest';
import { billedGbMonths, costOf, noCalls, usEast1 } from '#model/prices.ts';

const perClass = { standard: 1, infrequent: 1, 'archive-instant': 1 };
const GB = 2 ** 30;

describe('costOf', () => {
  it.each([
    ['nothing', {}, 0],
    ['a million puts into standard', { calls: { ...noCalls, blobPuts: { ...noCalls.blobPuts, standard: 1e6 } } }, 5],
    ['a million gets from standard', { calls: { ...noCalls, blobGets: { ...noCalls.blobGets, standard: 1e6 } } }, 0.4],
    ['a million gets from the archive', { calls: { ...noCalls, blobGets: { ...noCalls.blobGets, 'archive-instant': 1e6 } } }, 10],
    ['100 GB retrieved from infrequent', { calls: { ...noCalls, blobGetBytes: { ...noCalls.blobGetBytes, infrequent: 100 * GB } } }, 1],
    ['100 GB read from standard', { calls: { ...noCalls, blobGetBytes: { ...noCalls.blobGetBytes, standard: 100 * GB } } }, 0],
    ['a million lists', { calls: { ...noCalls, blobLists: 1e6 } }, 5],
    ['deletes', { calls: { ...noCalls, blobDeletes: 1e6, blobDeletedKeys: 1e9 } }, 0],
    ['a million write units', { calls: { ...noCalls, writeUnits: 1e6 } }, 0.625],
    ['a million read units', { calls: { ...noCalls, readUnits: 1e6 } }, 0.125],
    ['a million pieces of events', { calls: { ...noCalls, busPieces: 1e6 } }, 1],
    ['a GB-month in each class', { storedGbMonths: perClass }, 0.0395],
    ['a GB-month in the table', { tableGbMonths: 1 }, 0.25],
    ['a million requests of a function', { functionRequests: 1e6 }, 0.2],
    ['a million GB-seconds of a function', { functionGbSeconds: 1e6 }, 13.3334],
    ['a GB of logs', { logGb: 1 }, 0.5],
  ])('prices %s', (_case, usage, dollars) => {
    expect(costOf(usage, usEast1).total).toBeCloseTo(dollars, 9);
  });

  it('adds its items up to the total', () => {
    const { total, ...items } = costOf({ storedGbMonths: perClass, functionRequests: 7e6, logGb: 3, tableGbMonths: 2 }, usEast1);
    expect(Object.values(items).reduce((sum, item) => sum + item, 0)).toBeCloseTo(total, 12);
  });
});

describe('billedGbMonths', () => {
  it.each([
    ['a standard object for its size and time', 'standard', 1_000, 15, 1_000 * 15],
    ['a small infrequent object as 128 KiB', 'infrequent', 1_000, 30, 131_072 * 30],
    ['a short-lived infrequent object as 30 days', 'infrequent', 200_000, 1, 200_000 * 30],
    ['a short-lived archived object as 90 days', 'archive-instant', 200_000, 1, 200_000 * 90],
    ['a large and old archived object for its size and time', 'archive-instant', 1e6, 400, 1e6 * 400],
  ] as const)('bills %s', (_case, storageClass, sizeBytes, days, byteDays) => {
    expect(billedGbMonths(storageClass, 3, sizeBytes, days)).toBeCloseTo((3 * byteDays) / 30 / GB, 12);
  });
});
