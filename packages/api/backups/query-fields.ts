import type { ApiContext } from '#api/api-env.ts';
import { OpsError } from '#core/errors.ts';

const MAX_PAGE = 1_000;
const MAX_PATH = 4_096;

/** `limit`: how many of a page, at most 1,000; 100 where it is not said. */
export function readLimit(c: ApiContext): number {
  const text = c.req.query('limit') ?? '100';
  const limit = Number(text);
  if (/^\d{1,4}$/.test(text) && limit >= 1 && limit <= MAX_PAGE) return limit;
  throw new OpsError('input', `limit: takes a whole number from 1 to ${MAX_PAGE}; got ${JSON.stringify(text.slice(0, 60))}`);
}

/** `path`, without slashes around it; empty for all. */
export function readPath(c: ApiContext): string {
  const path = (c.req.query('path') ?? '').replace(/^\/+|\/+$/g, '');
  if (path.length <= MAX_PATH && !path.includes('\0')) return path;
  throw new OpsError('input', `path: takes at most ${MAX_PATH} characters, and no NUL`);
}

/** A place among paths as `next` gives it. Paths hold halves of surrogates, which UTF-8 has no bytes for. */
export function encodePlace(path: string | undefined): string | undefined {
  return path === undefined ? undefined : Buffer.from(path, 'utf16le').toString('base64url');
}

/** `after`: what the page before gave as `next`. */
export function readPlace(c: ApiContext): string | undefined {
  const text = c.req.query('after');
  if (text === undefined) return undefined;
  const bytes = Buffer.from(text, 'base64url');
  if (text !== '' && text.length <= 4 * MAX_PATH && bytes.toString('base64url') === text && bytes.length % 2 === 0)
    return bytes.toString('utf16le');
  throw new OpsError('input', 'after: takes what the page before gave as next');
}

/** `true` or `false`; false where it is not said. */
export function readSwitch(c: ApiContext, name: string): boolean {
  const text = c.req.query(name) ?? 'false';
  if (text === 'true' || text === 'false') return text === 'true';
  throw new OpsError('input', `${name}: takes true or false; got ${JSON.stringify(text.slice(0, 60))}`);
}
