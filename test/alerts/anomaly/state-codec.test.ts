import { describe, expect, it } from 'vitest';
import { createDetectorState } from '#alerts/anomaly/state.ts';
import { decodeDetectorState, encodeDetectorState } from '#alerts/anomaly/state-codec.ts';
import { updateDetector } from '#alerts/anomaly/update-detector.ts';

const HOUR_MS = 3_600_000;

describe('the bytes of a state', () => {
  const state = createDetectorState();
  for (let i = 0; i < 400; i++) updateDetector(state, i * HOUR_MS, i % 24);
  const bytes = encodeDetectorState(state);

  it('are 600 for a new series, and 2,904 at most', () => {
    expect(encodeDetectorState(createDetectorState()).length).toBe(600);
    expect(state.season.week.visits.every((visits) => visits > 0)).toBe(true);
    expect(bytes.length).toBe(2904);
  });

  it('may lie anywhere in a larger array, as packed with others', () => {
    const pack = new Uint8Array(bytes.length + 5);
    pack.set(bytes, 3);
    expect(decodeDetectorState(pack.subarray(3, 3 + bytes.length))).toEqual(state);
    expect(decodeDetectorState(Buffer.from(pack.buffer, 3, bytes.length))).toEqual(state);
  });

  const damaged: [string, Uint8Array, RegExp][] = [
    ['nothing', new Uint8Array(), /version undefined/],
    ['another version', Uint8Array.from(bytes, (byte, i) => (i === 0 ? 2 : byte)), /version 2, this program reads 1/],
    ['a part of the numbers', bytes.slice(0, 240), /cut short/],
    ['a part of a number', bytes.slice(0, -3), /cut short/],
    ['fewer samples than it says', bytes.slice(0, -8), /length/],
    ['more than it says', Uint8Array.from([...bytes, ...new Uint8Array(8)]), /length/],
    ['a count that is none', Uint8Array.from(bytes, (byte, i) => (i >= 200 && i < 208 ? 255 : byte)), /no count/],
  ];
  for (const [name, bad, message] of damaged) it(`are refused: ${name}`, () => expect(() => decodeDetectorState(bad)).toThrow(message));
});
