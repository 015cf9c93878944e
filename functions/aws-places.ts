import { dropTable, hasTable } from '#aws/backup/drop-table.ts';
import { openPrefixSource } from '#aws/backup/prefix-source.ts';
import { openPrefixTarget } from '#aws/backup/prefix-target.ts';
import { s3BlobsAt } from '#aws/backup/s3-blobs-at.ts';
import { openTableSource } from '#aws/backup/table-source.ts';
import { openTableTarget } from '#aws/backup/table-target.ts';
import { createDynamoClient, createS3Client, createStreamsClient } from '#aws/clients.ts';
import { createS3Blobs } from '#aws/s3-blobs.ts';
import { type Place, parsePlace } from '#backups/places/place.ts';
import { OpsError } from '#core/errors.ts';
import type { BackupPlaces, Scratch } from '#ports/backup-places.ts';

type PrefixPlace = Extract<Place, { type: 's3' }>;

/** Below it in a bucket lies what drills restore, which goes when the drill ends. */
const SCRATCH = 'quarterdeck-drills';

/** Places on AWS, by the credentials of the process. Clients are made when a place is opened. */
export function openAwsPlaces(): BackupPlaces {
  return {
    async openStore(name) {
      const place = parsePlace(name);
      if (place.type !== 's3') throw notHere(name);
      const { blobs, retention } = s3BlobsAt(name, { client: createS3Client({}), clock: Date.now });
      return { blobs, retention };
    },
    async openSource(name, { moment }) {
      const place = parsePlace(name);
      // By the name that it is known by: snapshots of a backup are found by it.
      if (place.type === 's3') return { ...openPrefixAsSource(place, moment ? 'moment' : 'current'), name };
      if (place.type !== 'dynamodb') throw notHere(name);
      const streams = moment ? { moment: { streams: await createStreamsClient({}) } } : {};
      return openTableSource({ client: createDynamoClient({}), tableName: place.table, clock: Date.now, ...streams });
    },
    async openTarget(name, { overwrite }) {
      const place = parsePlace(name);
      if (place.type === 's3') return openPrefixTarget({ client: createS3Client({}), ...withSlash(place), overwrite });
      if (place.type !== 'dynamodb') throw notHere(name);
      return openTableTarget({ client: createDynamoClient({}), tableName: place.table, clock: Date.now, inPlace: overwrite });
    },
    async isEmpty(name) {
      const place = parsePlace(name);
      if (place.type === 'dynamodb') return !(await hasTable(createDynamoClient({}), place.table));
      if (place.type !== 's3') throw notHere(name);
      const { bucket, prefix } = withSlash(place);
      return (await createS3Blobs({ client: createS3Client({}), bucket }).list(prefix, { limit: 1 })).entries.length === 0;
    },
    async openScratch(source, id) {
      const place = parsePlace(source);
      if (place.type === 'dynamodb') return scratchTable(id);
      if (place.type === 's3') return scratchPrefix(place, id);
      throw notHere(source);
    },
  };
}

function notHere(name: string): OpsError {
  return new OpsError('input', `${name} cannot be reached from here`, { hint: 'On AWS it takes s3://bucket/prefix or dynamodb:TABLE.' });
}

function openPrefixAsSource(place: PrefixPlace, versions: 'current' | 'moment') {
  return openPrefixSource({ client: createS3Client({}), ...withSlash(place), clock: Date.now, versions });
}

/** The prefix as what is put before keys. */
function withSlash({ bucket, prefix }: PrefixPlace) {
  return { bucket, prefix: prefix === '' ? '' : `${prefix}/` };
}

/** A table of its own, which costs nothing but what is written, and is deleted afterwards. */
function scratchTable(id: string): Scratch {
  const tableName = `quarterdeck-drill-${id}`;
  const client = createDynamoClient({});
  return {
    name: `dynamodb:${tableName}`,
    target: openTableTarget({ client, tableName, clock: Date.now, plain: true }),
    openSource: async () => openTableSource({ client, tableName, clock: Date.now }),
    remove: () => dropTable(client, tableName),
  };
}

function scratchPrefix({ bucket }: PrefixPlace, id: string): Scratch {
  const place: PrefixPlace = { type: 's3', bucket, prefix: `${SCRATCH}/${id}` };
  const client = createS3Client({});
  const { prefix } = withSlash(place);
  return {
    name: `s3://${bucket}/${prefix}`,
    target: openPrefixTarget({ client, bucket, prefix, overwrite: true }),
    openSource: async () => openPrefixAsSource(place, 'current'),
    async remove() {
      const blobs = createS3Blobs({ client, bucket });
      for (;;) {
        const { entries } = await blobs.list(prefix);
        if (entries.length === 0) return;
        await blobs.delete(entries.map(({ key }) => key));
      }
    },
  };
}
