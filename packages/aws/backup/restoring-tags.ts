import { zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { OpsError } from '#core/errors.ts';
import { parseDefinition, type TableDefinition } from './table-definition.ts';

// A tag's value has at most 256 characters, a table at most 50 tags.
const RESTORING = 'quarterdeck:restoring/';
const TAG_CHARACTERS = 256;
const MAX_TAGS = 50;

/** The definition in tags, so that a run that goes on later knows what is still to be added. */
export function restoringTags(definition: TableDefinition): { Key: string; Value: string }[] {
  const text = zstdCompressSync(JSON.stringify(definition)).toString('base64');
  const values = Array.from({ length: Math.ceil(text.length / TAG_CHARACTERS) }, (_, i) =>
    text.slice(i * TAG_CHARACTERS, (i + 1) * TAG_CHARACTERS),
  );
  if (values.length > MAX_TAGS)
    throw new OpsError('limit', 'the definition of the table is too long to be kept in tags while it is restored');
  return values.map((Value, i) => ({ Key: `${RESTORING}${String(i).padStart(2, '0')}`, Value }));
}

/** The reverse; undefined for a table that no restore has made, or that is whole. */
export function definitionIn(tags: Readonly<Record<string, string>>): TableDefinition | undefined {
  const names = Object.keys(tags).filter(isOurs).sort();
  if (names.length === 0) return undefined;
  try {
    const packed = Buffer.from(names.map((name) => tags[name]).join(''), 'base64');
    return parseDefinition(JSON.parse(zstdDecompressSync(packed, { maxOutputLength: 1024 * 1024 }).toString()));
  } catch (cause) {
    throw new OpsError('conflict', 'the tags in which a restore keeps what is still to be done were changed', {
      cause,
      hint: 'Delete the table and restore it anew.',
    });
  }
}

/** True for the tags of a table that a restore has made and not finished. */
export function isRestoring(tags: Readonly<Record<string, string>>): boolean {
  return Object.keys(tags).some(isOurs);
}

function isOurs(name: string): boolean {
  return name.startsWith(RESTORING);
}

/** The tags that a whole table gets, and those that it then loses. */
export function planTags({ tags }: TableDefinition, there: Readonly<Record<string, string>>) {
  const Tags = Object.entries(tags).flatMap(([Key, Value]) => (isOurs(Key) ? [] : [{ Key, Value }]));
  return { Tags, TagKeys: Object.keys(there).filter(isOurs) };
}
