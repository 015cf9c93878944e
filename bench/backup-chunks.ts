import { createCipheriv, createHash, createHmac, createSecretKey, randomBytes } from 'node:crypto';
import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { createCutter } from '#backups/chunks/fast-cdc.ts';
import { createRepository } from '#backups/repository/create-repository.ts';
import { runRestore } from '#backups/restore/run-restore.ts';
import { takeBackup } from '#backups/take/take-backup.ts';
import type { BackupTarget } from '#ports/backup-target.ts';
import { createMemorySource, type MemoryThing } from '#ports/memory/memory-backup-source.ts';
import { createMemoryBlobs } from '#ports/memory/memory-blobs.ts';

// What a backup's stages cost, each by itself and all together, on a mix of text, noise (already compressed), small files and a large one.
// `node bench/backup-chunks.ts [MB]`. CPU seconds count all threads; run it three times: on a shared machine figures move by 10 to 30 %.

const MB = 1 << 20;
const totalMb = Number(process.argv[2] ?? 256);

/** Runs it and prints MB/s and CPU seconds a GB. */
async function measure(name: string, bytes: number, run: () => unknown): Promise<void> {
  const cpu = process.cpuUsage();
  const startedAt = process.hrtime.bigint();
  const note = await run();
  const seconds = Number(process.hrtime.bigint() - startedAt) / 1e9;
  const { user, system } = process.cpuUsage(cpu);
  const rate = (bytes / MB / seconds).toFixed(0).padStart(6);
  const perGb = (((user + system) / 1e6) * (1024 * MB)) / bytes;
  console.log(`${name.padEnd(34)} ${rate} MB/s ${perGb.toFixed(2).padStart(6)} CPU-s/GB  ${note ?? ''}`);
}

function makeText(bytes: number): Buffer {
  const words = Array.from({ length: 5_000 }, (_, n) =>
    createHash('md5')
      .update(String(n))
      .digest('hex')
      .slice(0, 3 + (n % 7)),
  );
  const text = Buffer.alloc(bytes);
  let state = 1;
  for (let at = 0; at < bytes - 12; ) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    at += text.write(`${words[(state >>> 8) % words.length]} `, at);
  }
  return text;
}

const text = makeText((totalMb * MB) / 4);
const noise = randomBytes(Math.min(1 << 30, (totalMb * MB) / 2));

/** A quarter text in files of 2 MB, a quarter noise likewise, a quarter in files of 4 KB, a quarter one large file, half of it text. */
function makeThings(): Map<string, MemoryThing> {
  const things = new Map<string, MemoryThing>();
  const quarter = (totalMb * MB) / 4;
  const add = (path: string, content: Uint8Array) => things.set(path, { content, stamp: '1', meta: { mode: 0o644, mtime: 1 } });
  for (let at = 0; at < quarter; at += 2 * MB) {
    add(`text/${at}`, text.subarray(at, at + 2 * MB));
    add(`noise/${at}`, noise.subarray(at, at + 2 * MB));
  }
  const words = makeText(quarter + 4_096);
  for (let at = 0; at < quarter; at += 4_096) add(`small/${at >> 20}/${at}`, words.subarray(at + (at >> 12), at + (at >> 12) + 4_096));
  add('large', Buffer.concat([noise.subarray(quarter, quarter + quarter / 2), text.subarray(7, quarter / 2)]));
  return things;
}

function each(bytes: Uint8Array, size: number, visit: (piece: Uint8Array) => void): void {
  for (let at = 0; at < bytes.length; at += size) visit(bytes.subarray(at, at + size));
}

const cutter = createCutter({ minBytes: 512 << 10, averageBytes: MB, maxBytes: 8 * MB, level: 1, seed: 1n });
const key = createSecretKey(randomBytes(32));
const nonce = Buffer.alloc(12);
const seal = (piece: Uint8Array) => {
  const cipher = createCipheriv('aes-256-gcm', key, nonce);
  cipher.update(piece);
  cipher.final();
};
await measure('chunking', noise.length, () => {
  let chunks = 0;
  for (let at = 0; at < noise.length; chunks++) at += cutter.findCut(noise, at, noise.length, true, { scanned: 0, low: 0 });
  return `${chunks} chunks of ${(noise.length / chunks / MB).toFixed(2)} MB`;
});
for (const size of [MB, 4_096]) {
  await measure(`HMAC-SHA-256, pieces of ${size}`, noise.length, () =>
    each(noise, size, (piece) => createHmac('sha256', key).update(piece).digest()),
  );
  await measure(`AES-256-GCM, pieces of ${size}`, noise.length, () => each(noise, size, seal));
}
for (const level of [1, 2, 3, 5]) {
  for (const [name, bytes] of [
    ['text', text],
    ['noise', noise],
  ] as const) {
    await measure(`zstd level ${level}, ${name}`, bytes.length, () => {
      let out = 0;
      const options = { chunkSize: 2 * MB, params: { [constants.ZSTD_c_compressionLevel]: level } };
      each(bytes, MB, (piece) => {
        out += zstdCompressSync(piece, options).length;
      });
      return `to ${((100 * out) / bytes.length).toFixed(1)} %`;
    });
  }
}
const packed: Buffer[] = [];
each(text, MB, (piece) => packed.push(zstdCompressSync(piece, { chunkSize: 2 * MB })));
await measure('zstd, decompressing text', text.length, () => {
  for (const piece of packed) zstdDecompressSync(piece, { chunkSize: MB + 1 });
});

const blobs = createMemoryBlobs();
const world = { clock: Date.now, randomBytes };
const repository = await createRepository({ blobs, ...world }, { unlock: { passphrase: 'bench' } });
const things = makeThings();
const bytes = [...things.values()].reduce((sum, { content }) => sum + (content?.length ?? 0), 0);
const source = () => createMemorySource(things, { pieceBytes: MB });
let peak = 0;
const watch = setInterval(() => {
  peak = Math.max(peak, process.memoryUsage.rss());
}, 50);
const take = async (kind: 'full' | 'incremental') => {
  const result = await takeBackup(world, { repository, source: source(), kind, host: 'bench' });
  if (result.state !== 'done') throw new Error('the backup did not end');
  return result.snapshot;
};
const snapshots: Awaited<ReturnType<typeof take>>[] = [];
await measure('first backup', bytes, async () => {
  snapshots.push(await take('full'));
  const puts = blobs.stored.size;
  return `${puts} objects, ${((100 * snapshots[0].counts.storedBytes) / bytes).toFixed(1)} % stored`;
});
await measure('second full backup, all known', bytes, () => take('full').then(() => undefined));
await measure('incremental, nothing changed', bytes, () => take('incremental').then(() => undefined));
const sink: BackupTarget = {
  type: 'sink',
  name: 'sink',
  plan: async () => 'create',
  write: async ({ content }) => {
    for await (const _ of content ?? []);
  },
  finish: async () => [],
};
await measure('restore', bytes, async () => {
  const { missing } = await runRestore({ repository, snapshot: snapshots[0], target: sink });
  return `${missing.length} missing`;
});
clearInterval(watch);
console.log(`peak RSS ${(peak / MB).toFixed(0)} MB, of which data and repository about ${(3.5 * totalMb).toFixed(0)} MB`);
