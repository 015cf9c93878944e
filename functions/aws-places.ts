import { dropTable } from '#aws/backup/drop-table.ts';
import { openPrefixSource } from '#aws/backup/prefix-source.ts';
import { openPrefixTarget } from '#aws/backup/prefix-target.ts';
import { s3BlobsAt } from '#aws/backup/s3-blobs-at.ts';
import { openTableChangeLog } from '#aws/backup/table-change-log.ts';
import { openTableSource } from '#aws/backup/table-source.ts';
import { isFreshTable, openTableTarget } from '#aws/backup/table-target.ts';
import { createDynamoClient, createStreamsClient, createS3Client as newS3Client } from '#aws/clients.ts';
import { createS3Blobs } from '#aws/s3-blobs.ts';
import { type Place, parsePlace } from '#backups/places/place.ts';
import type { Config } from '#config/load-config.ts';
import { readSettings } from '#config/settings.ts';
import { OpsError } from '#core/errors.ts';
import type { BackupPlaces, Scratch } from '#ports/backup-places.ts';
import {
  DRILLS,
  emptyPrefix,
  isFreshDeployment,
  openDeploymentScratch,
  openDeploymentSource,
  openDeploymentTarget,
} from './aws-self-places.ts';

type PrefixPlace = Extract<Place, { type: 's3' }>;

export interface AwsPlacesOptions {
  /** The configuration that drills ask a restored Quarterdeck under. */
  readonly config: () => Promise<Config>;
}

/** Places on AWS, by the credentials of the process; `quarterdeck:` is the deployment that it belongs to. Clients are made when a place is opened. */
export function openAwsPlaces({ config }: AwsPlacesOptions): BackupPlaces {
  return {
    async openStore(name) {
      const place = parsePlace(name);
      if (place.type !== 's3') throw notHere(name);
      const { blobs, retention } = s3BlobsAt(name, { client: createS3Client(), clock: Date.now });
      return { blobs, retention };
    },
    async openSource(name, { moment }) {
      const place = parsePlace(name);
      // By the name that it is known by: snapshots of a backup are found by it.
      if (place.type === 's3') return { ...openPrefixAsSource(place, moment ? 'moment' : 'current'), name };
      if (isOwn(place)) return openDeploymentSource(createS3Client(), name);
      if (place.type !== 'dynamodb') throw notHere(name);
      const streams = moment ? { moment: { streams: await createStreamsClient({}) } } : {};
      return openTableSource({ client: createDynamoClient({}), tableName: place.table, clock: Date.now, ...streams });
    },
    async openTarget(name, { overwrite }) {
      const place = parsePlace(name);
      if (place.type === 's3') return openPrefixTarget({ client: createS3Client(), ...withSlash(place), overwrite });
      if (isOwn(place)) return openDeploymentTarget(createS3Client(), name);
      if (place.type !== 'dynamodb') throw notHere(name);
      return openTableTarget({ client: createDynamoClient({}), tableName: place.table, clock: Date.now, inPlace: overwrite });
    },
    async isEmpty(name) {
      const place = parsePlace(name);
      if (place.type === 'dynamodb') return isFreshTable({ client: createDynamoClient({}), tableName: place.table });
      if (isOwn(place)) return isFreshDeployment(createS3Client());
      if (place.type !== 's3') throw notHere(name);
      const { bucket, prefix } = withSlash(place);
      return (await createS3Blobs({ client: createS3Client(), bucket }).list(prefix, { limit: 1 })).entries.length === 0;
    },
    async openScratch(source, id) {
      const place = parsePlace(source);
      if (place.type === 'dynamodb') return scratchTable(id);
      if (place.type === 's3') return scratchPrefix(place, id);
      if (isOwn(place)) return openDeploymentScratch(createS3Client(), id, config);
      throw notHere(source);
    },
    async openChangeLog(source, store) {
      return openTableChangeLog({
        ...{ ...store, client: createDynamoClient({}), openStreams: () => createStreamsClient({}), clock: Date.now },
        tableName: tableOf(source),
        tableOf,
      });
    },
  };
}

function notHere(name: string): OpsError {
  return new OpsError('input', `${name} cannot be reached from here`, {
    hint: 'On AWS it takes s3://bucket/prefix, dynamodb:TABLE or quarterdeck:.',
  });
}

function tableOf(name: string): string {
  const place = parsePlace(name);
  if (place.type === 'dynamodb') return place.table;
  throw new OpsError('input', `${name} has no log of changes`, { hint: 'Changes are kept of dynamodb:TABLE alone.' });
}

function isOwn(place: Place): boolean {
  return place.type === 'quarterdeck' && place.path === '';
}

/** What is not AWS is asked by paths: hosts named after buckets are rarely there. */
function createS3Client() {
  return newS3Client({ pathStyle: readSettings().awsEndpointUrl !== undefined });
}

function openPrefixAsSource(place: PrefixPlace, versions: 'current' | 'moment') {
  return openPrefixSource({ client: createS3Client(), ...withSlash(place), clock: Date.now, versions });
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
  const place: PrefixPlace = { type: 's3', bucket, prefix: `${DRILLS}/${id}` };
  const client = createS3Client();
  const { prefix } = withSlash(place);
  return {
    name: `s3://${bucket}/${prefix}`,
    target: openPrefixTarget({ client, bucket, prefix, overwrite: true }),
    openSource: async () => openPrefixAsSource(place, 'current'),
    remove: () => emptyPrefix(createS3Blobs({ client, bucket }), prefix),
  };
}
