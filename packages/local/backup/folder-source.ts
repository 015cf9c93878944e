import { closeSync, fstatSync, lstatSync, readlinkSync, readSync, realpathSync, statSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { OpsError } from '#core/errors.ts';
import type { Clock } from '#core/time.ts';
import type { BackupSource, SourceFault, SourceItem } from '#ports/backup-source.ts';
import { at, itself, openFolderAt, openRoot, withFolder } from './beneath.ts';
import { type Exclude, parseExclude } from './exclude.ts';
import { type ExtendedAttributes, loadExtendedAttributes } from './extended-attributes.ts';
import { describeFileError, fileError, hasCode } from './file-errors.ts';
import { type Accounts, kindOf, metaOf, readAccounts, stampOf } from './file-meta.ts';
import { createHardLinks, type HardLinks, hasOtherNames } from './hard-links.ts';
import { assertApart } from './inside.ts';
import { comparePaths, decodeName, splitPath } from './path-names.ts';
import { pseudoFileSystem } from './pseudo-file-systems.ts';
import { openForReading, readFile } from './read-file.ts';
import { type Visited, type WalkedFolder, walkFolder } from './walk-folder.ts';

export interface FolderSourceOptions {
  readonly clock: Clock;
  /** Patterns of what is left out, as in a .gitignore. */
  readonly exclude?: readonly string[] | undefined;
  /** Leaves out what is in folders with a valid CACHEDIR.TAG, but for the tag. */
  readonly excludeCaches?: boolean | undefined;
  /** Does not go on in folders that other file systems are mounted on. */
  readonly oneFileSystem?: boolean | undefined;
  /** Folders that must not be backed up, since the backup is written to them. */
  readonly apartFrom?: readonly string[] | undefined;
}

interface Source {
  readonly root: WalkedFolder;
  readonly exclude: Exclude;
  readonly options: FolderSourceOptions;
  readonly accounts: Accounts;
  readonly attributes: ExtendedAttributes | undefined;
  readonly counts: { unreadAttributes: number };
}

type OnFault = (fault: SourceFault) => void;

/** Clocks of file systems tick as rarely as this; what changed just now may change again and look the same. */
const TICK_MS = 20;

/**
 * A folder, or one file, as a source. Calls that look at names wait for the disk, since handing each to another thread costs more than it
 * takes. Errors: `missing`, `denied`, `input` for what is neither file nor folder, lies in a file system of the kernel, or would back
 * up what the backup is written to.
 */
export async function openFolderSource(path: string, options: FolderSourceOptions): Promise<BackupSource> {
  const exclude = parseExclude(options.exclude ?? []);
  for (const folder of options.apartFrom ?? []) assertApart(path, folder, exclude);
  const root = openSourceRoot(path);
  const source: Source = {
    root,
    exclude,
    options,
    accounts: readAccounts(),
    attributes: await loadExtendedAttributes(),
    counts: { unreadAttributes: 0 },
  };
  let beganAtMs = options.clock();
  return {
    type: 'files',
    name: path,
    list({ after, onFault }) {
      beganAtMs = options.clock();
      source.counts.unreadAttributes = 0;
      return listItems(source, after, onFault);
    },
    async guarantee() {
      return { consistency: 'fuzzy', at: new Date(beganAtMs).toISOString(), sentence: describeGuarantee(source) };
    },
    async close() {
      if (root.handle !== undefined) closeSync(root.handle);
      root.handle = undefined;
    },
  };
}

function openSourceRoot(path: string): WalkedFolder {
  try {
    const kind = kindOf(statSync(path, { bigint: true }));
    if (kind !== 'dir' && kind !== 'file') throw new OpsError('input', `${path} is neither a folder nor a file`);
    const real = realpathSync(path);
    const handle = openRoot(kind === 'dir' ? real : dirname(real));
    const pseudo = pseudoFileSystem(itself(handle));
    if (pseudo) {
      closeSync(handle);
      throw new OpsError('input', `${path} lies in ${pseudo}, which is a view of the kernel and no files`);
    }
    const only = kind === 'file' ? decodeName(Buffer.from(basename(real))) : undefined;
    return { prefix: '', handle, device: fstatSync(handle, { bigint: true }).dev, only };
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) throw new OpsError('missing', `there is no folder or file ${path}`, { cause: error });
    throw fileError(error, `open ${path}`);
  }
}

function describeGuarantee({ attributes, counts }: Source): string {
  const parts = ['Each file is as it was when it was read, and those that changed meanwhile are among the faults.'];
  if (!attributes) parts.push('Extended attributes were not read, since @napi-rs/xattr is not installed.');
  if (counts.unreadAttributes > 0) {
    parts.push(`Extended attributes of ${counts.unreadAttributes} things whose names are no UTF-8 were not read.`);
  }
  return parts.join(' ');
}

async function* listItems(source: Source, after: string | undefined, onFault: OnFault): AsyncGenerator<SourceItem> {
  if (source.root.handle === undefined) throw new OpsError('unavailable', 'the source is closed');
  const links = createHardLinks();
  let isRecalled = after === undefined;
  try {
    for await (const visited of walk(source, after, onFault)) {
      const looked = look(source, visited, onFault);
      if (!looked) continue;
      if (!isRecalled && hasOtherNames(looked.kind, looked.stats)) {
        await recallLinks(source, links, after as string);
        isRecalled = true;
      }
      const item = describeItem(source, links, visited, looked, onFault);
      if (item) yield item;
    }
  } catch (error) {
    throw fileError(error, 'list the source');
  }
}

function walk(source: Source, after: string | undefined, onFault: OnFault): AsyncGenerator<Visited> {
  return walkFolder(source.root, {
    after,
    enter: (visited) => enter(source, visited),
    onFault: (path, error) => onFault({ path, message: `the folder cannot be read: ${describeFileError(error)}` }),
  });
}

type Looked = NonNullable<ReturnType<typeof look>>;

function look(source: Source, { folder, name, path }: Visited, onFault: OnFault) {
  try {
    const stats = lstatSync(at(folder.handle as number, name), { bigint: true });
    const kind = kindOf(stats);
    return source.exclude(path, kind === 'dir') ? undefined : { stats, kind };
  } catch (error) {
    const message = hasCode(error, 'ENOENT') ? 'it was gone before it could be read' : `it cannot be read: ${describeFileError(error)}`;
    onFault({ path, message });
    return undefined;
  }
}

/** The names before the cursor were seen by a process that may be gone: their inodes are looked at again, once something needs them. */
async function recallLinks(source: Source, links: HardLinks, until: string): Promise<void> {
  for await (const visited of walk(source, undefined, () => undefined)) {
    if (comparePaths(visited.path, until) > 0) return;
    const looked = look(source, visited, () => undefined);
    if (looked && hasOtherNames(looked.kind, looked.stats)) links.see(visited.path, looked.stats);
  }
}

function enter({ exclude, options }: Source, { folder, name, path }: Visited): WalkedFolder | undefined {
  if (exclude(path, true)) return undefined;
  const handle = openFolderAt(folder.handle as number, name);
  try {
    const device = fstatSync(handle, { bigint: true }).dev;
    const isOther = device !== folder.device;
    if (isOther && (options.oneFileSystem || pseudoFileSystem(itself(handle)))) {
      closeSync(handle);
      return undefined;
    }
    const only = options.excludeCaches && isCache(handle) ? CACHE_TAG : undefined;
    return { prefix: `${path}/`, handle, device, only };
  } catch (error) {
    closeSync(handle);
    throw error;
  }
}

const CACHE_TAG = 'CACHEDIR.TAG';
const CACHE_SIGNATURE = 'Signature: 8a477f597d28d172789f06886806bc55';

function isCache(folder: number): boolean {
  let handle: number | undefined;
  try {
    handle = openForReading(at(folder, CACHE_TAG));
    if (!fstatSync(handle).isFile()) return false;
    const bytes = Buffer.alloc(CACHE_SIGNATURE.length);
    readSync(handle, bytes, 0, bytes.length, 0);
    return bytes.toString('latin1') === CACHE_SIGNATURE;
  } catch {
    // A tag that cannot be read does not leave anything out.
    return false;
  } finally {
    if (handle !== undefined) closeSync(handle);
  }
}

function describeItem(
  source: Source,
  links: HardLinks,
  visited: Visited,
  { stats, kind }: Looked,
  onFault: OnFault,
): SourceItem | undefined {
  const { path } = visited;
  const first = hasOtherNames(kind, stats) ? links.see(path, stats) : undefined;
  const stamp = stampOf(stats);
  const isSettled = Number(stats.ctimeNs / 1_000_000n) < source.options.clock() - TICK_MS;
  const common = { path, stamp: isSettled ? stamp : undefined, cursor: path };
  if (first !== undefined) return { ...common, kind: 'hardlink', meta: { target: first } };
  const target = kind === 'symlink' ? readTarget(visited, onFault) : {};
  if (!target) return undefined;
  const meta = { ...metaOf(stats, kind, source.accounts), ...target, ...readAttributes(source, visited, onFault) };
  if (kind !== 'file') return { ...common, kind, meta };
  const onChanged = (message: string) => onFault({ path, message });
  const open = (offset: number) => inOurTerms(path, readFile({ open: () => openItem(source, visited), offset, stamp, onChanged }));
  return { ...common, kind, meta, open };
}

function readTarget({ folder, name, path }: Visited, onFault: OnFault): { target: string } | undefined {
  try {
    return { target: decodeName(readlinkSync(at(folder.handle as number, name), 'buffer')) };
  } catch (error) {
    onFault({ path, message: `where the link leads cannot be read: ${describeFileError(error)}` });
    return undefined;
  }
}

function readAttributes({ attributes, counts }: Source, { folder, name, path }: Visited, onFault: OnFault) {
  if (!attributes) return {};
  const place = at(folder.handle as number, name);
  if (typeof place !== 'string') {
    counts.unreadAttributes++;
    return {};
  }
  try {
    const xattrs = attributes.read(place);
    return xattrs ? { xattrs } : {};
  } catch (error) {
    onFault({ path, message: `its extended attributes cannot be read: ${(error as Error).message}` });
    return {};
  }
}

/** From the folder that is still open, or, once the walk has left it, from the root again. */
function openItem({ root }: Source, { folder, name }: Visited): number {
  if (folder.handle !== undefined) return openForReading(at(folder.handle, name));
  if (root.handle === undefined) throw new OpsError('unavailable', 'the source is closed');
  const names = splitPath(folder.prefix.slice(0, -1));
  return withFolder(root.handle, names, (parent) => openForReading(at(parent, name)));
}

async function* inOurTerms(path: string, pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* pieces;
  } catch (error) {
    if (hasCode(error, 'ENOENT')) throw new OpsError('missing', `${path} was gone before it could be read`, { cause: error });
    throw fileError(error, `read ${path}`);
  }
}
