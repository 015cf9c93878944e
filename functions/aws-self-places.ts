import { dropTable } from '#aws/backup/drop-table.ts';
import { blobsBelow } from '#aws/backup/s3-blobs-at.ts';
import { createDynamoDump } from '#aws/backup/table-dump.ts';
import { createDynamoClient, type createS3Client } from '#aws/clients.ts';
import { createTable } from '#aws/create-table.ts';
import { createDynamoTable } from '#aws/dynamo-table.ts';
import { createS3Blobs } from '#aws/s3-blobs.ts';
import { isFreshSelf } from '#backups/self/self-target.ts';
import { readDeployment } from '#config/deployment.ts';
import type { Config } from '#config/load-config.ts';
import type { Scratch } from '#ports/backup-places.ts';
import type { BackupSource } from '#ports/backup-source.ts';
import type { BackupTarget } from '#ports/backup-target.ts';
import type { Blobs } from '#ports/blobs.ts';
import { lazySelf, type SelfData, scratchOfSelf, sourceOfSelf, targetOfSelf } from './self-places.ts';

type S3Client = ReturnType<typeof createS3Client>;

/** Below it in a bucket lies what drills restore, which goes when the drill ends. */
export const DRILLS = 'quarterdeck-drills';

/** The Quarterdeck of this deployment as a source. */
export function openDeploymentSource(client: S3Client, name: string): Promise<BackupSource> {
  return sourceOfSelf(
    lazySelf(async () => openDeployment(client)),
    name,
  );
}

/** The deployment as a target: its table and bucket have to be empty. */
export function openDeploymentTarget(client: S3Client, name: string): BackupTarget {
  return targetOfSelf(
    lazySelf(async () => openDeployment(client)),
    name,
  );
}

export function isFreshDeployment(client: S3Client): Promise<boolean> {
  return isFreshSelf(openDeployment(client));
}

/** A table of its own and a prefix of the deployment's bucket. Needs dynamodb:CreateTable and DeleteTable on `quarterdeck-drill-*`. */
export function openDeploymentScratch(client: S3Client, id: string, config: () => Promise<Config>): Scratch {
  const { bucket } = readDeployment();
  const tableName = `quarterdeck-drill-${id}`;
  const prefix = `${DRILLS}/${id}/`;
  const store = createS3Blobs({ client, bucket });
  const dynamo = createDynamoClient({});
  const self = lazySelf(async () => {
    await createTable(dynamo, tableName, { expires: false });
    return dataOf(dynamo, tableName, blobsBelow(store, prefix));
  });
  return scratchOfSelf({
    ...{ self, name: `dynamodb:${tableName} and s3://${bucket}/${prefix}`, config },
    async remove() {
      await dropTable(dynamo, tableName);
      await emptyPrefix(store, prefix);
    },
  });
}

/** Deletes all objects below a prefix. */
export async function emptyPrefix(blobs: Blobs, prefix: string): Promise<void> {
  for (;;) {
    const { entries } = await blobs.list(prefix);
    if (entries.length === 0) return;
    await blobs.delete(entries.map(({ key }) => key));
  }
}

function openDeployment(client: S3Client): SelfData {
  const { bucket, table } = readDeployment();
  return dataOf(createDynamoClient({}), table, createS3Blobs({ client, bucket }));
}

function dataOf(client: ReturnType<typeof createDynamoClient>, tableName: string, blobs: Blobs): SelfData {
  return {
    table: createDynamoTable({ client, tableName }),
    blobs,
    dump: createDynamoDump({ client, tableName }, Date.now),
    close: async () => undefined,
  };
}
