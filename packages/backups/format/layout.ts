/** Where a repository's objects lie on its store. Ids are 32 hexadecimal digits. Below `changes/` lie change logs, which are no part of it. */
export const CONFIG_KEY = 'config';
export const KEYS = 'keys/';
export const PACKS = 'packs/';
export const INDEX = 'index/';
export const SESSIONS = 'sessions/';
export const SNAPSHOTS = 'snapshots/';
export const CONDEMNED = 'condemned/';

export function packKey(id: string): string {
  return `${PACKS}${id.slice(0, 2)}/${id}`;
}

export function snapshotKey(id: string): string {
  return `${SNAPSHOTS}${id}`;
}

/** The part of a key after its last slash. */
export function idOfKey(key: string): string {
  return key.slice(key.lastIndexOf('/') + 1);
}
