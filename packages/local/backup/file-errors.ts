import { type ErrorKind, isOpsError, OpsError } from '#core/errors.ts';

const kinds: { readonly [code: string]: ErrorKind } = {
  EACCES: 'denied',
  EPERM: 'denied',
  EROFS: 'denied',
  ENAMETOOLONG: 'input',
  EINVAL: 'input',
  EILSEQ: 'input',
  ELOOP: 'input',
  ENOTDIR: 'input',
  EISDIR: 'input',
  ENOTEMPTY: 'input',
  EFBIG: 'input',
  EMLINK: 'input',
  EXDEV: 'input',
  ENOTSUP: 'input',
  EOPNOTSUPP: 'input',
};

const words: { readonly [code: string]: string } = {
  EACCES: 'permission denied',
  EPERM: 'not permitted',
  EROFS: 'the file system is read-only',
  ENAMETOOLONG: 'the name is too long for this file system',
  EINVAL: 'the file system does not take it',
  ELOOP: 'there is a link on the way',
  ENOTDIR: 'there is something on the way that is no folder',
  EISDIR: 'there is a folder',
  ENOTEMPTY: 'there is a folder that is not empty',
  ENOENT: 'it is not there',
  ENOSPC: 'the disk is full',
  EDQUOT: 'the quota is used up',
  EMFILE: 'too many files are open',
};

/** What failed, in words and without the paths that calls were made by. */
export function describeFileError(error: unknown): string {
  if (isOpsError(error)) return error.message;
  const { code = '', message } = error as NodeJS.ErrnoException;
  return words[code] ?? (code === '' ? message : code);
}

/** An error of the file system in our terms; `what` is what was tried. */
export function fileError(error: unknown, what: string): OpsError {
  if (isOpsError(error)) return error;
  const { code = '' } = error as NodeJS.ErrnoException;
  const isFull = code === 'ENOSPC' || code === 'EDQUOT';
  const hint = isFull ? 'Make room and run it again: what is there already is kept.' : undefined;
  return new OpsError(kinds[code] ?? 'unavailable', `cannot ${what}: ${describeFileError(error)}`, { cause: error, hint });
}

export function hasCode(error: unknown, ...codes: readonly string[]): boolean {
  return codes.includes((error as NodeJS.ErrnoException | undefined)?.code ?? '');
}
