import { createHash } from 'node:crypto';
import { mapConcurrent } from '#core/batch.ts';
import { OpsError } from '#core/errors.ts';
import { retry } from '#core/retry.ts';
import type { Clock } from '#core/time.ts';
import { assertBlobKey } from '#ports/blob-keys.ts';
import type { Blobs } from '#ports/blobs.ts';
import type { Table } from '#ports/table.ts';
import type { ConfigFiles } from './load-config.ts';

/** One file of a configuration folder. */
export interface ConfigFile {
  /** Path inside the folder, with `/`. */
  readonly path: string;
  readonly text: string;
}

/** The set in force: its version, and its files as loadConfig takes them. */
export interface PushedConfig {
  /** '' before the first push: no files, the defaults hold. */
  readonly version: string;
  readonly files: ConfigFiles;
}

export interface PushResult {
  readonly version: string;
  readonly files: number;
  /** The version that was in force before; '' for none. */
  readonly replaced: string;
}

const POINTER = { pk: 'config', sk: 'current' };
const MAX_FILES = 1_000;
const FILES_AT_ONCE = 8;

/**
 * Sends a configuration as one set: nothing before all of it is valid, then every file under `config/<version>/`, then, in one
 * write, the pointer that puts it in force. The version is the hash of the contents, so that a repeat changes nothing; earlier
 * sets stay, and pushing one again brings it back.
 */
export async function pushConfig(
  deps: { blobs: Blobs; table: Table; now: Clock; check: (files: ConfigFiles) => Promise<unknown> },
  files: readonly ConfigFile[],
): Promise<PushResult> {
  await checkFiles(files, deps.check);
  const ordered = [...files].sort((a, b) => (a.path < b.path ? -1 : 1));
  const version = versionOf(ordered);
  const encoder = new TextEncoder();
  await mapConcurrent(ordered, FILES_AT_ONCE, ({ path, text }) => retry(() => deps.blobs.put(keyOf(version, path), encoder.encode(text))));
  const replaced = await readVersion(deps.table);
  const paths = ordered.map(({ path }) => path);
  await retry(() => deps.table.put({ ...POINTER, version, files: JSON.stringify(paths), pushedAtMs: deps.now() }));
  return { version, files: files.length, replaced };
}

/** Files that are at hand already. */
export function filesInHand(files: readonly ConfigFile[]): ConfigFiles {
  const texts = new Map(files.map(({ path, text }) => [path, text]));
  return { readFile: async (path) => texts.get(path), list: async () => [...texts.keys()].sort() };
}

async function checkFiles(files: readonly ConfigFile[], check: (files: ConfigFiles) => Promise<unknown>): Promise<void> {
  if (files.length > MAX_FILES) throw new OpsError('input', `a configuration of ${files.length} files; at most ${MAX_FILES} are taken`);
  const texts = new Map(files.map(({ path, text }) => [path, text]));
  if (texts.size < files.length) throw new OpsError('input', 'the same file is named twice');
  for (const path of texts.keys()) assertBlobKey(keyOf('0', path));
  await check(filesInHand(files));
}

/** 128 bits over names and contents, each with its length before it. */
function versionOf(files: readonly ConfigFile[]): string {
  const hash = createHash('sha256');
  for (const { path, text } of files) hash.update(JSON.stringify([path, text]));
  return hash.digest('hex').slice(0, 32);
}

function keyOf(version: string, path: string): string {
  return `config/${version}/${path}`;
}

/** The version in force; '' for none. */
export async function readVersion(table: Table): Promise<string> {
  const item = await retry(() => table.get(POINTER));
  return String(item?.version ?? '');
}

/** Opens the set in force. A set never changes, so what is read belongs together whatever is pushed meanwhile. */
export async function openPushedConfig({ blobs, table }: { blobs: Blobs; table: Table }): Promise<PushedConfig> {
  const item = await retry(() => table.get(POINTER));
  if (!item) return { version: '', files: { readFile: async () => undefined, list: async () => [] } };
  const version = String(item.version);
  const paths = new Set(JSON.parse(String(item.files)) as string[]);
  const decoder = new TextDecoder();
  return {
    version,
    files: {
      list: async () => [...paths].sort(),
      async readFile(path) {
        if (!paths.has(path)) return undefined;
        return decoder.decode(await retry(() => blobs.get(keyOf(version, path))));
      },
    },
  };
}
