import { type BigIntStats, readFileSync } from 'node:fs';
import * as z from 'zod';
import { OpsError } from '#core/errors.ts';
import type { Json } from '#model/json.ts';

const nanoseconds = z.string().regex(/^-?\d{1,20}$/);
const id = z.int().min(0).max(0xffff_fffe);

/** What is kept of a thing in a folder beside its content. All of it may be absent: an object of a bucket can be restored to a folder too. */
export const FileMeta = z.object({
  /** Permissions with the set-id and sticky bits. */
  mode: z.int().min(0).max(0o7777).optional(),
  /** Since 1970, as decimal digits: numbers of JSON are not exact to the nanosecond. */
  mtimeNs: nanoseconds.optional(),
  ctimeNs: nanoseconds.optional(),
  uid: id.optional(),
  gid: id.optional(),
  user: z.string().max(256).optional(),
  group: z.string().max(256).optional(),
  /** Of a symlink what it says; of a hardlink the path of its first name in the same backup. */
  target: z.string().optional(),
  device: z.object({ major: z.int().min(0).max(0xfff_ffff), minor: z.int().min(0).max(0xfff_ffff) }).optional(),
  /** It has holes: it takes less space than its size. */
  sparse: z.boolean().optional(),
  /** Values in base64. */
  xattrs: z.record(z.string().min(1).max(255), z.base64()).optional(),
});
export type FileMeta = z.infer<typeof FileMeta>;

/** The meta of an item of an archive; `input` where it is none. */
export function readFileMeta(path: string, meta: { readonly [name: string]: Json }): FileMeta {
  const read = FileMeta.safeParse(meta);
  if (read.success) return read.data;
  const issue = read.error.issues[0];
  throw new OpsError('input', `the attributes of ${JSON.stringify(path)} are broken: ${issue.path.join('.')}: ${issue.message}`);
}

const kinds: readonly (readonly [bigint, string])[] = [
  [0o100000n, 'file'],
  [0o040000n, 'dir'],
  [0o120000n, 'symlink'],
  [0o010000n, 'fifo'],
  [0o140000n, 'socket'],
  [0o020000n, 'char'],
  [0o060000n, 'block'],
];

/** `file`, `dir`, `symlink`, `fifo`, `socket`, `char` or `block`. */
export function kindOf(stats: BigIntStats): string {
  return kinds.find(([bits]) => (stats.mode & 0o170000n) === bits)?.[1] ?? 'file';
}

/** What tells that a file has changed; a change of the same size within one tick of the file system's clock escapes it. */
export function stampOf({ size, mtimeNs, ctimeNs, ino }: BigIntStats): string {
  return `${size}-${mtimeNs}-${ctimeNs}-${ino}`;
}

/** Major and minor number, as Linux packs them into one. */
export function deviceOf(rdev: bigint): { major: number; minor: number } {
  const major = ((rdev >> 8n) & 0xfffn) | ((rdev >> 32n) & ~0xfffn);
  const minor = (rdev & 0xffn) | ((rdev >> 12n) & ~0xffn);
  return { major: Number(major), minor: Number(minor) };
}

/** Names of users and groups by their numbers, and back. */
export interface Accounts {
  readonly users: ReadonlyMap<number, string>;
  readonly groups: ReadonlyMap<number, string>;
}

/** The accounts of this machine's own files; directories elsewhere (LDAP) are not asked. */
export function readAccounts(folder = '/etc'): Accounts {
  return { users: readNames(`${folder}/passwd`), groups: readNames(`${folder}/group`) };
}

function readNames(path: string): Map<number, string> {
  const names = new Map<number, string>();
  let text = '';
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    // Without the file the numbers are what there is, and they are always kept.
  }
  for (const line of text.split('\n')) {
    const [name, , number] = line.split(':');
    if (/^\d+$/.test(number ?? '') && !names.has(Number(number))) names.set(Number(number), name);
  }
  return names;
}

/** What lstat says of a thing, in the fields of FileMeta. */
export function metaOf(stats: BigIntStats, kind: string, { users, groups }: Accounts): { readonly [name: string]: Json } {
  const uid = Number(stats.uid);
  const gid = Number(stats.gid);
  const user = users.get(uid);
  const group = groups.get(gid);
  return {
    mode: Number(stats.mode & 0o7777n),
    mtimeNs: `${stats.mtimeNs}`,
    ctimeNs: `${stats.ctimeNs}`,
    uid,
    gid,
    ...(user === undefined ? {} : { user }),
    ...(group === undefined ? {} : { group }),
    ...(kind === 'char' || kind === 'block' ? { device: deviceOf(stats.rdev) } : {}),
    ...(kind === 'file' && stats.blocks * 512n < stats.size ? { sparse: true } : {}),
  };
}
