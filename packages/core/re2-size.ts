export interface ProgramEstimate {
  /** Instructions, about; counts stop at 1e12. */
  readonly size: number;
  /** The greatest product of nested repetition counts; RE2 refuses more than 1,000. */
  readonly repeats: number;
}

/** About what a pattern compiles to, repetitions written out, found in one pass without building anything. The pattern need not be valid. */
export function estimateProgram(pattern: string): ProgramEstimate {
  const open: { size: number; most: number }[] = [];
  let size = 0;
  /** Of the innermost open group: the greatest product so far. */
  let most = 1;
  let repeats = 1;
  let atom = { size: 0, repeats: 1 };
  for (let i = 0; i < pattern.length; ) {
    const char = pattern[i] as string;
    const repeat = char === '{' ? /^\{(\d{1,9})(?:,(\d{0,9}))?\}/.exec(pattern.slice(i, i + 24)) : null;
    if (repeat) {
      const times = Math.max(Number(repeat[1]), Number(repeat[2] || 0), 1);
      size = Math.min(1e12, size + atom.size * (times - 1));
      most = Math.max(most, Math.min(1e12, atom.repeats * times));
      i += repeat[0].length;
    } else if (char === '(') {
      open.push({ size, most });
      size = 0;
      most = 1;
      i++;
    } else if (char === ')') {
      const outer = open.pop() ?? { size: 0, most: 1 };
      atom = { size: size + 2, repeats: most };
      size = outer.size + atom.size;
      most = Math.max(most, outer.most);
      i++;
    } else {
      i = char === '[' ? classEnd(pattern, i) : i + (char === '\\' ? 2 : 1);
      atom = { size: 1, repeats: 1 };
      size++;
    }
    repeats = Math.max(repeats, most);
  }
  return { size: open.reduce((total, outer) => total + outer.size, size), repeats };
}

/** Offset past a character class that opens at `start`; the end of the pattern where it never closes. */
function classEnd(pattern: string, start: number): number {
  let i = start + (pattern[start + 1] === '^' ? 2 : 1);
  for (let first = true; i < pattern.length; first = false) {
    const char = pattern[i];
    if (char === ']' && !first) return i + 1;
    const named = pattern.startsWith('[:', i) ? pattern.indexOf(':]', i + 2) : -1;
    i = named >= 0 && named < i + 20 ? named + 2 : i + (char === '\\' ? 2 : 1);
  }
  return i;
}
