import { OpsError } from '#core/errors.ts';

/** The error of bytes that are not a block of ours: `input`, saying what was met. */
export function corruptBlock(what: string, cause?: unknown): OpsError {
  return new OpsError('input', `corrupt Parquet block: ${what}`, {
    hint: 'the object is truncated, damaged or was not written by Quarterdeck',
    ...(cause === undefined ? {} : { cause }),
  });
}
