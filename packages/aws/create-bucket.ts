import { CreateBucketCommand, type S3Client } from '@aws-sdk/client-s3';
import { callAws } from './call.ts';

/** Makes a bucket where there is none yet of that name: for tests and for stand-ins; a deployment declares its own. */
export async function createBucket(client: S3Client, bucket: string): Promise<void> {
  const options = { operation: 's3:CreateBucket', resource: `bucket "${bucket}"`, repeat: 'always' } as const;
  await callAws(options, async () => {
    try {
      await client.send(new CreateBucketCommand({ Bucket: bucket }));
    } catch (error) {
      if ((error as Error).name !== 'BucketAlreadyOwnedByYou') throw error;
    }
  });
}
