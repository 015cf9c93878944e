import { createDynamoClient, createS3Client } from '#aws/clients.ts';
import { createDynamoTable } from '#aws/dynamo-table.ts';
import { createS3Blobs } from '#aws/s3-blobs.ts';
import { type Deployment, readDeployment } from '#config/deployment.ts';
import { type ConfigFile, type PushResult, pushConfig } from '#config/pushed-config.ts';
import { isOpsError, OpsError } from '#core/errors.ts';
import type { Clock } from '#core/time.ts';
import { loadWholeConfig } from './whole-config.ts';

/** Puts a configuration in force in the deployment that the environment names. */
export async function pushConfigToAws(files: readonly ConfigFile[], now: Clock): Promise<PushResult> {
  const { bucket, table } = findDeployment();
  const [s3, dynamo] = [createS3Client({}), createDynamoClient({})];
  try {
    return await pushConfig(
      {
        blobs: createS3Blobs({ client: s3, bucket }),
        table: createDynamoTable({ client: dynamo, tableName: table }),
        now,
        check: loadWholeConfig,
      },
      files,
    );
  } finally {
    s3.destroy();
    dynamo.destroy();
  }
}

function findDeployment(): Deployment {
  try {
    return readDeployment();
  } catch (cause) {
    if (!isOpsError(cause)) throw cause;
    const hint = 'Run it by `npx sst shell --stage STAGE -- npx quarterdeck ...`, which says what the stage consists of.';
    throw new OpsError('input', `no deployment is known here: ${cause.message}`, { cause, hint });
  }
}
