import { createHash } from 'node:crypto';
import { once } from 'node:events';
import {
  closeSync,
  cpSync,
  createWriteStream,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';

// A folder as people have them: a quarter each of text, of what is compressed already, of small files, and one large file.

const MB = 1_000_000;
const WORDS = 20_000;
const TEXT_FILES = 25;
const PACKED_FILES = 50;
const SMALL_FILES = 25_000;
const PAGE = 8_192;

/** Numbers from 0 to 1 that are the same for the same seed (mulberry32). */
function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** Makes the folder with about `sizeMb` MB in it, the same for the same size. */
export async function makeBackupFolder(folder: string, sizeMb: number): Promise<void> {
  const random = seeded(1);
  const quarter = (sizeMb / 4) * MB;
  const words = makeWords(random);
  mkdirSync(join(folder, 'logs'), { recursive: true });
  for (let i = 0; i < TEXT_FILES; i++) await writeText(join(folder, 'logs', `app-${i}.log`), quarter / TEXT_FILES, words, random);
  mkdirSync(join(folder, 'media'));
  for (let i = 0; i < PACKED_FILES; i++) await writeNoise(join(folder, 'media', `clip-${i}.bin`), quarter / PACKED_FILES, random);
  const smallBytes = quarter / SMALL_FILES;
  for (let i = 0; i < SMALL_FILES; i++) {
    const parent = join(folder, 'src', `module-${i % 200}`, `part-${Math.floor(i / 200) % 10}`);
    mkdirSync(parent, { recursive: true });
    writeFileSync(join(parent, `file-${i}.ts`), textOf(Math.ceil(smallBytes * (0.2 + 1.6 * random())), words, random));
  }
  await writePages(join(folder, 'database.db'), quarter, words, random);
}

/** Changes about one percent: logs grow, pages of the large file are written over, some small files change, one clip comes, one goes. */
export async function changeBackupFolder(folder: string, sizeMb: number): Promise<void> {
  const random = seeded(2);
  const words = makeWords(random);
  const onePercent = (sizeMb / 400) * MB;
  for (let i = 0; i < 5; i++) {
    writeFileSync(join(folder, 'logs', `app-${i}.log`), textOf(onePercent / 5, words, random), { flag: 'a' });
  }
  const database = openSync(join(folder, 'database.db'), 'r+');
  const pages = Math.floor(statSync(join(folder, 'database.db')).size / PAGE);
  // Databases write in some places, not everywhere.
  for (let region = 0; region < 8; region++) {
    const first = Math.floor(random() * (pages - 100));
    for (let page = 0; page < onePercent / 8 / PAGE; page++) {
      writeSync(database, Buffer.from(textOf(PAGE, words, random)), 0, PAGE, (first + page) * PAGE);
    }
  }
  closeSync(database);
  for (let i = 0; i < SMALL_FILES / 100; i++) {
    const id = i * 100;
    writeFileSync(
      join(folder, 'src', `module-${id % 200}`, `part-${Math.floor(id / 200) % 10}`, `file-${id}.ts`),
      textOf(10_000, words, random),
    );
  }
  await writeNoise(join(folder, 'media', 'clip-new.bin'), onePercent, random);
}

function makeWords(random: () => number): string[] {
  const letters = 'etaoinshrdlucmfwypvbgkjqxz';
  const letter = () => letters[Math.floor(random() ** 2 * letters.length)];
  return Array.from({ length: WORDS }, () => Array.from({ length: 2 + Math.floor(random() * 9) }, letter).join(''));
}

/** Words by Zipf's law, in lines with a time and a number as logs have them. */
function textOf(bytes: number, words: readonly string[], random: () => number): string {
  const lines: string[] = [];
  let length = 0;
  for (let time = 1_700_000_000_000 + Math.floor(random() * 1e9); length < bytes; time += Math.floor(random() * 1_000)) {
    const some = Array.from({ length: 6 + Math.floor(random() * 10) }, () => words[Math.floor(WORDS ** random())]);
    const line = `${new Date(time).toISOString()} level=${random() < 0.9 ? 'info' : 'warn'} took=${Math.floor(random() * 1e5)} ${some.join(' ')}\n`;
    lines.push(line);
    length += line.length;
  }
  return lines.join('').slice(0, bytes);
}

async function writeText(path: string, bytes: number, words: readonly string[], random: () => number): Promise<void> {
  await writeParts(path, bytes, (size) => Buffer.from(textOf(size, words, random)));
}

async function writeNoise(path: string, bytes: number, random: () => number): Promise<void> {
  await writeParts(path, bytes, (size) => {
    const part = Buffer.alloc(size);
    for (let i = 0; i + 4 <= size; i += 4) part.writeUInt32LE(Math.floor(random() * 4_294_967_296), i);
    return part;
  });
}

/** Pages of a database: half text, half numbers, some empty. */
async function writePages(path: string, bytes: number, words: readonly string[], random: () => number): Promise<void> {
  await writeParts(path, bytes, (size) => {
    const part = Buffer.alloc(size);
    for (let at = 0; at + PAGE <= size; at += PAGE) {
      if (random() < 0.05) continue;
      part.write(textOf(PAGE / 2, words, random), at);
      for (let i = at + PAGE / 2; i + 8 <= at + PAGE; i += 8) part.writeDoubleLE(Math.floor(random() * 1e6) / 100, i);
    }
    return part;
  });
}

async function writeParts(path: string, bytes: number, make: (size: number) => Buffer): Promise<void> {
  const file = createWriteStream(path);
  for (let left = Math.floor(bytes); left > 0; left -= MB) {
    if (!file.write(make(Math.min(MB, left)))) await once(file, 'drain');
  }
  file.end();
  await finished(file);
}

/** SHA-256 over names and contents of all files, which two equal folders share. */
export function hashFolder(folder: string): string {
  const hash = createHash('sha256');
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  for (const path of files.map((entry) => join(entry.parentPath, entry.name)).sort()) {
    hash.update(path.slice(folder.length)).update(readFileSync(path));
  }
  return hash.digest('hex');
}

/** A copy with its times. */
export function copyFolder(from: string, to: string): void {
  cpSync(from, to, { recursive: true, preserveTimestamps: true });
}
