import { OpsError } from '#core/errors.ts';

/** Levels that JSON of ours may have: what walks over it may call itself. */
const MAX_DEPTH = 100;

/** Parses JSON of at most 100 levels, found before anything is built. `input` in the parser's words. */
export function parseBoundedJson(text: string): unknown {
  if (depthOf(text) > MAX_DEPTH) throw new OpsError('input', `is JSON of more than ${MAX_DEPTH} levels`);
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new OpsError('input', `is no JSON: ${(cause as Error).message}`, { cause });
  }
}

function depthOf(text: string): number {
  let [depth, most, inText] = [0, 0, false];
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (inText) {
      if (unit === 0x5c) i++;
      else if (unit === 0x22) inText = false;
    } else if (unit === 0x22) inText = true;
    else if (unit === 0x5b || unit === 0x7b) most = Math.max(most, ++depth);
    else if (unit === 0x5d || unit === 0x7d) depth--;
  }
  return most;
}
