import { describe, expect, it } from 'vitest';
import { splitBlobs } from '#aws/split-blobs.ts';
import { createMemoryBlobs } from '#ports/memory/memory-blobs.ts';

const bytes = (text: string) => new TextEncoder().encode(text);
const keysOf = async (store: ReturnType<typeof createMemoryBlobs>) => (await store.list('')).entries.map(({ key }) => key);

describe('two stores as one', () => {
  it('keep each key where it belongs, by whole names of folders', async () => {
    const [inside, outside] = [createMemoryBlobs(), createMemoryBlobs()];
    const blobs = splitBlobs('imports', inside, outside);
    for (const key of ['imports/a', 'imports-old/a', 'tier=hot/imports/a']) await blobs.put(key, bytes(key));
    expect(await keysOf(inside)).toEqual(['imports/a']);
    expect(await keysOf(outside)).toEqual(['imports-old/a', 'tier=hot/imports/a']);
    for (const key of ['imports/a', 'imports-old/a']) expect(await blobs.get(key)).toEqual(bytes(key));
    expect((await blobs.list('imports/')).entries.map(({ key }) => key)).toEqual(['imports/a']);
  });

  it('delete keys of both at once', async () => {
    const [inside, outside] = [createMemoryBlobs(), createMemoryBlobs()];
    const blobs = splitBlobs('imports', inside, outside);
    for (const key of ['imports/a', 'b', 'c']) await blobs.put(key, bytes(key));
    await blobs.delete(['imports/a', 'b', 'imports/none']);
    expect([await keysOf(inside), await keysOf(outside)]).toEqual([[], ['c']]);
  });

  it('say what is missing as the store says that has it', async () => {
    const blobs = splitBlobs('imports', createMemoryBlobs(), createMemoryBlobs());
    await expect(blobs.get('imports/a')).rejects.toMatchObject({ kind: 'missing' });
  });
});
