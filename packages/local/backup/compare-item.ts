import { type BigIntStats, readlinkSync } from 'node:fs';
import type { ItemPlan } from '#ports/backup-target.ts';
import { isSameTime, type MetaDeps, modeOf, ownerOf } from './apply-meta.ts';
import { at } from './beneath.ts';
import { deviceOf, type FileMeta, kindOf } from './file-meta.ts';
import { linkTarget } from './make-special.ts';

export interface Wanted {
  readonly path: string;
  readonly kind: string;
  readonly meta: FileMeta;
  readonly sizeBytes: number;
}

/** How what is at a name compares with what is to be there; links to other names are not for this. */
export function compareItem(deps: MetaDeps, wanted: Wanted, there: BigIntStats, folder: number, name: string): ItemPlan {
  const { kind, meta, path } = wanted;
  if (kindOf(there) !== kind || meta.mtimeNs === undefined || !isSameTime(there.mtimeNs, meta.mtimeNs)) return 'replace';
  if (kind === 'file' && there.size !== BigInt(wanted.sizeBytes)) return 'replace';
  if (kind === 'symlink' && !readlinkSync(at(folder, name), 'buffer').equals(linkTarget(path, meta))) return 'replace';
  const device = kind === 'char' || kind === 'block' ? deviceOf(there.rdev) : undefined;
  if (device && (device.major !== meta.device?.major || device.minor !== meta.device.minor)) return 'replace';
  return isSameAccess(deps, wanted, there) && hasSameAttributes(deps, meta, at(folder, name)) ? 'keep' : 'replace';
}

function isSameAccess(deps: MetaDeps, { kind, meta }: Wanted, there: BigIntStats): boolean {
  const owner = ownerOf(deps, meta);
  if (owner && (there.uid !== BigInt(owner.uid) || there.gid !== BigInt(owner.gid))) return false;
  const mode = kind === 'symlink' ? undefined : modeOf(meta, owner !== undefined, kind === 'dir');
  return mode === undefined || Number(there.mode & 0o7777n) === mode;
}

/** Those of the system come and go by themselves; what is asked for is what a restore would make different. */
function hasSameAttributes({ attributes }: MetaDeps, { xattrs = {} }: FileMeta, place: string | Buffer): boolean {
  if (!attributes || typeof place !== 'string') return true;
  const users = (all: { readonly [name: string]: string }) =>
    JSON.stringify(
      Object.entries(all)
        .filter(([name]) => name.startsWith('user.'))
        .sort(([a], [b]) => (a < b ? -1 : 1)),
    );
  return users(attributes.read(place) ?? {}) === users(xattrs);
}
