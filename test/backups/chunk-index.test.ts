import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { createChunkIndex } from '#backups/packs/chunk-index.ts';

const idOf = (number: number) => createHash('sha256').update(String(number)).digest();
const COUNT = 5_000;

describe('an index of chunks', () => {
  it('has every chunk that was reserved or placed, however often it grew', () => {
    const reserved = createChunkIndex();
    const placed = createChunkIndex();
    const location = {
      packId: 'ab'.repeat(16),
      salt: Buffer.alloc(32),
      number: 0,
      offset: 0,
      storedBytes: 1,
      sizeBytes: 1,
      isCompressed: false,
    };
    for (let number = 0; number < COUNT; number++) {
      reserved.reserve(idOf(number));
      placed.place(idOf(number), { ...location, number });
    }
    expect([reserved.size, placed.size]).toEqual([COUNT, COUNT]);
    expect(reserved.countIn(placed)).toBe(COUNT);
    for (let number = 0; number < COUNT; number++) {
      expect(reserved.has(idOf(number)), `reserved ${number}`).toBe(true);
      expect(placed.find(idOf(number)), `placed ${number}`).toMatchObject({ number });
    }
    expect([reserved.has(idOf(COUNT)), placed.find(idOf(COUNT))]).toEqual([false, undefined]);
  });
});
