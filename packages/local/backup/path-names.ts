import { isUtf8 } from 'node:buffer';
import { OpsError } from '#core/errors.ts';

const ESCAPE = 0xdc00;

/** A name as text: bytes that are no UTF-8 become U+DC80 to U+DCFF, each by itself. */
export function decodeName(bytes: Buffer): string {
  return isUtf8(bytes) ? bytes.toString('utf8') : decodeBroken(bytes);
}

/** The bytes of a name; undefined where the text stands for none: another lone surrogate, or escapes that are UTF-8 together. */
export function encodeName(name: string): Buffer | undefined {
  if (name.isWellFormed()) return Buffer.from(name, 'utf8');
  const parts = Array.from(name, (char) => {
    const unit = char.charCodeAt(0);
    if (char.length > 1 || !isSurrogate(unit)) return Buffer.from(char, 'utf8');
    return unit >= ESCAPE + 0x80 && unit <= ESCAPE + 0xff ? Buffer.of(unit - ESCAPE) : undefined;
  });
  if (parts.includes(undefined)) return undefined;
  const bytes = Buffer.concat(parts as Buffer[]);
  return decodeName(bytes) === name ? bytes : undefined;
}

/** Orders two paths as their bytes on the disk are ordered, escaped ones too. */
export function comparePaths(a: string, b: string): number {
  const end = Math.min(a.length, b.length);
  let i = 0;
  while (i < end && a.charCodeAt(i) === b.charCodeAt(i)) i++;
  if (i === end) return a.length - b.length;
  // Up to the surrogates code units are in the order of their bytes.
  if (!isSurrogate(a.charCodeAt(i)) && !isSurrogate(b.charCodeAt(i))) return a.charCodeAt(i) - b.charCodeAt(i);
  return Buffer.compare(bytesOf(a), bytesOf(b));
}

function isSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdfff;
}

/** Text that no name has, from a cursor of somebody's own making, has a place in the order all the same. */
function bytesOf(path: string): Buffer {
  return encodeName(path) ?? Buffer.from(path, 'utf8');
}

/**
 * The names that a path of an archive goes through. `input` for a path that is absolute, empty, leads up, has a NUL, or is no text that
 * names decode to: what is returned names something below a folder, or nothing.
 */
export function splitPath(path: string): readonly string[] {
  const names = path.split('/');
  const fault = names.map(faultOfName).find((found) => found !== undefined);
  if (fault) throw new OpsError('input', `the path ${JSON.stringify(path)} ${fault}`);
  return names;
}

function faultOfName(name: string): string | undefined {
  if (name === '') return 'is absolute, or has an empty segment';
  if (name === '.' || name === '..') return 'has a segment that leads elsewhere';
  if (name.includes('\0')) return 'has a NUL';
  return encodeName(name) ? undefined : 'has characters that no file name can have';
}

function decodeBroken(bytes: Buffer): string {
  let text = '';
  for (let i = 0; i < bytes.length; ) {
    const length = sequenceLength(bytes, i);
    text += length > 0 ? bytes.toString('utf8', i, i + length) : String.fromCharCode(ESCAPE + bytes[i]);
    i += Math.max(length, 1);
  }
  return text;
}

/** How many bytes the character at `at` has; 0 if there is none. */
function sequenceLength(bytes: Buffer, at: number): number {
  const first = bytes[at];
  if (first < 0x80) return 1;
  const length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  return at + length <= bytes.length && isUtf8(bytes.subarray(at, at + length)) ? length : 0;
}
