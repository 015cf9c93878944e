import { dropEmptyRows, type Frame } from './frame.ts';
import { goMax, goMin } from './go-math.ts';

type Compute = (value: number) => number;

const computes: Readonly<Record<string, Compute>> = {
  abs: Math.abs,
  acos: Math.acos,
  acosh: Math.acosh,
  asin: Math.asin,
  asinh: Math.asinh,
  atan: Math.atan,
  atanh: Math.atanh,
  ceil: Math.ceil,
  cos: Math.cos,
  cosh: Math.cosh,
  deg: (value) => (value * 180) / Math.PI,
  exp: Math.exp,
  floor: Math.floor,
  ln: Math.log,
  log10: Math.log10,
  log2: Math.log2,
  rad: (value) => (value * Math.PI) / 180,
  sgn: (value) => (value < 0 ? -1 : value > 0 ? 1 : value),
  sin: Math.sin,
  sinh: Math.sinh,
  sqrt: Math.sqrt,
  tan: Math.tan,
  tanh: Math.tanh,
};

/** The function of one number behind a name such as `ln`. */
export function mathFunction(func: string): Compute | undefined {
  return Object.hasOwn(computes, func) ? computes[func] : undefined;
}

/** Applies a function of one number to every point; the name goes. */
export function mapValues(frame: Frame, compute: Compute): Frame {
  const { values } = frame;
  const cells = frame.series.length * frame.steps.count;
  for (let i = 0; i < cells; i++) values[i] = compute(values[i] as number);
  frame.dropName.fill(true);
  return frame;
}

/** round(): to the nearest multiple, halves up. */
export function roundValues(frame: Frame, toNearest: Float64Array | undefined): Frame {
  return mapWithStep(frame, (value, i) => {
    const inverse = 1 / (toNearest === undefined ? 1 : (toNearest[i] as number));
    return Math.floor(value * inverse + 0.5) / inverse;
  });
}

/** clamp(), clamp_min() and clamp_max(); nothing remains of steps at which the bounds are the wrong way round. */
export function clampValues(frame: Frame, lower: Float64Array | undefined, upper: Float64Array | undefined): Frame {
  const n = frame.steps.count;
  for (let i = 0; i < n; i++) {
    if (!((upper?.[i] ?? Infinity) < (lower?.[i] ?? -Infinity))) continue;
    for (let cell = i; cell < frame.series.length * n; cell += n) frame.present[cell] = 0;
  }
  return mapWithStep(dropEmptyRows(frame), (value, i) => goMax(lower?.[i] ?? -Infinity, goMin(upper?.[i] ?? Infinity, value)));
}

function mapWithStep(frame: Frame, compute: (value: number, step: number) => number): Frame {
  const n = frame.steps.count;
  const { values } = frame;
  for (let base = 0; base < frame.series.length * n; base += n) {
    for (let i = 0; i < n; i++) values[base + i] = compute(values[base + i] as number, i);
  }
  frame.dropName.fill(true);
  return frame;
}
