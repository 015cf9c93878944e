import type { DetectorState } from './state.ts';
import { decodeDetectorState, encodeDetectorState } from './state-codec.ts';

/** What the last evaluation said of a series; NaN where it said nothing. */
export interface Figures {
  /** The series' value; of one that is missing, the seconds since its last sample. */
  readonly value: number;
  readonly score: number;
  readonly low: number;
  readonly high: number;
}

/** The figures come first, as float64; the detector's state follows. */
const FIGURES_BYTES = 32;

/** What is kept of a series in bytes: at most 2,936. `state` may be what was unpacked and has not changed. */
export function packSeries({ value, score, low, high }: Figures, state: DetectorState | Uint8Array): Uint8Array {
  const stateBytes = state instanceof Uint8Array ? state : encodeDetectorState(state);
  const bytes = new Uint8Array(FIGURES_BYTES + stateBytes.length);
  new Float64Array(bytes.buffer, 0, 4).set([value, score, low, high]);
  bytes.set(stateBytes, FIGURES_BYTES);
  return bytes;
}

/** The figures that were packed. */
export function unpackFigures(bytes: Uint8Array): Figures {
  const numbers = new Float64Array(new Uint8Array(bytes.subarray(0, FIGURES_BYTES)).buffer);
  return { value: numbers[0] as number, score: numbers[1] as number, low: numbers[2] as number, high: numbers[3] as number };
}

/** The bytes of the state alone. */
export function stateBytesOf(bytes: Uint8Array): Uint8Array {
  return bytes.subarray(FIGURES_BYTES);
}

/** The state that was packed; `input` if it is of another version. */
export function unpackState(bytes: Uint8Array): DetectorState {
  return decodeDetectorState(stateBytesOf(bytes));
}
