import { RestoreObjectCommand } from '@aws-sdk/client-s3';
import { callAws } from '#aws/call.ts';
import { OpsError } from '#core/errors.ts';
import { HOUR_MS, MINUTE_MS } from '#core/time.ts';
import { callOnObject, headObject, type ObjectDeps, type ObjectHead, type ObjectPlace } from './object-head.ts';

/** Whether and how objects in archive classes are brought back for reading; it costs by the GB and takes its time. */
export interface ArchivePolicy {
  readonly tier: 'Expedited' | 'Standard' | 'Bulk';
  /** How long S3 keeps the readable copy. */
  readonly keepDays: number;
  /** How long to wait for it here. Default 0: ask for it, and fail with the time after which it is worth coming back. */
  readonly waitMs?: number | undefined;
  /** Default 1 min. */
  readonly pollMs?: number | undefined;
}

const ARCHIVES = new Set(['GLACIER', 'DEEP_ARCHIVE']);
// What S3 says of each tier, at worst.
const DELAY_MS = {
  GLACIER: { Expedited: 5 * MINUTE_MS, Standard: 5 * HOUR_MS, Bulk: 12 * HOUR_MS },
  DEEP_ARCHIVE: { Expedited: 12 * HOUR_MS, Standard: 12 * HOUR_MS, Bulk: 48 * HOUR_MS },
} as const;

/** True where the object has to be restored before it can be read. */
export function needsRestore({ storageClass, archiveStatus, restore }: ObjectHead): boolean {
  const isArchived = archiveStatus !== undefined || ARCHIVES.has(storageClass);
  return isArchived && !(restore?.includes('ongoing-request="false"') ?? false);
}

/**
 * Makes an archived object readable: asks S3 for it once, and polls for as long as the policy says. `unavailable` with `retryAfterMs` while it
 * is on its way, `denied` where there is no policy. `s3:RestoreObject`, `s3:GetObject`.
 */
export async function restoreArchived(
  deps: ObjectDeps & { clock: () => number },
  place: ObjectPlace,
  head: ObjectHead,
  policy?: ArchivePolicy,
): Promise<void> {
  if (policy === undefined) {
    throw new OpsError(
      'denied',
      `object "${place.key}" is archived (${head.storageClass}) and needs to be restored before it can be read`,
      {
        hint: 'Allow restores from archive classes; they cost by the GB and take minutes to days.',
      },
    );
  }
  if (head.restore === undefined) await askFor(deps, place, head, policy);
  const { waitMs = 0, pollMs = MINUTE_MS } = policy;
  for (const deadlineMs = deps.clock() + waitMs; deps.clock() + pollMs <= deadlineMs; ) {
    await deps.retry.sleep(pollMs);
    if (!needsRestore(await headObject(deps, place))) return;
  }
  const delays =
    DELAY_MS[head.storageClass === 'DEEP_ARCHIVE' || head.archiveStatus === 'DEEP_ARCHIVE_ACCESS' ? 'DEEP_ARCHIVE' : 'GLACIER'];
  throw new OpsError('unavailable', `object "${place.key}" is being restored from ${head.storageClass} (${policy.tier})`, {
    retryAfterMs: delays[policy.tier],
    hint: `Come back within ${policy.keepDays} days of its arrival.`,
  });
}

async function askFor(
  deps: ObjectDeps,
  place: ObjectPlace,
  { archiveStatus }: ObjectHead,
  { tier, keepDays }: ArchivePolicy,
): Promise<void> {
  // Intelligent tiering moves the object itself and takes no days.
  const days = archiveStatus === undefined ? { Days: keepDays } : {};
  const command = new RestoreObjectCommand({
    Bucket: deps.bucket,
    Key: place.key,
    VersionId: place.versionId,
    RestoreRequest: { ...days, GlacierJobParameters: { Tier: tier } },
  });
  await callAws(callOnObject(deps, 's3:RestoreObject', place.key), async () => {
    try {
      await deps.client.send(command);
    } catch (error) {
      if ((error as Error).name !== 'RestoreAlreadyInProgress') throw error;
    }
  });
}
