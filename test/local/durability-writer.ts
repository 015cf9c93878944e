import { randomUUID } from 'node:crypto';
import { openSync, writeSync } from 'node:fs';
import { openLocal } from '#local/open.ts';

// Runs as a process of its own until it is killed: writes through every port and notes in a file what was acknowledged.

const [folder, acknowledgedPath] = process.argv.slice(2);
const acknowledged = openSync(acknowledgedPath, 'a');
const ports = await openLocal(folder, Date.now);
ports.bus.subscribe({
  name: 'never done',
  pattern: { source: ['quarterdeck.test'], 'detail-type': ['Thing Happened'] },
  handle: () => new Promise(() => {}),
});

const acknowledge = (kind: string, id: string | number) => writeSync(acknowledged, `${kind} ${id}\n`);

const writers: Readonly<Record<string, (id: string) => Promise<unknown>>> = {
  put: (id) => ports.table.put({ pk: 'put', sk: id, body: Buffer.alloc(1_000, id) }, { exists: false }),
  pair: (id) =>
    ports.table.transact([
      { kind: 'put', item: { pk: 'left', sk: id } },
      { kind: 'put', item: { pk: 'right', sk: id } },
    ]),
  count: async () => (await ports.table.update({ pk: 'count', sk: 'all' }, { add: { n: 1 } })).n as number,
  gone: async (id) => {
    await ports.table.put({ pk: 'gone', sk: id });
    await ports.table.delete({ pk: 'gone', sk: id });
  },
  blob: async (id) => void (await ports.blobs.put(`objects/${id.slice(0, 1)}/${id}.seg`, Buffer.alloc(20_000, id))),
  event: (id) => ports.bus.publish([{ source: 'quarterdeck.test', detailType: 'Thing Happened', detail: { id } }]),
};

async function writeForEver(kind: string): Promise<never> {
  for (;;) {
    const id = randomUUID();
    const number = await writers[kind](id);
    acknowledge(kind, typeof number === 'number' ? number : id);
  }
}

await Promise.all(Object.keys(writers).flatMap((kind) => [writeForEver(kind), writeForEver(kind), writeForEver(kind)]));
