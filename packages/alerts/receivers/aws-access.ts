import { OpsError } from '#core/errors.ts';
import type { AwsAccess } from '#ports/aws-access.ts';
import type { Revealer } from './redact.ts';
import type { Sigv4Config } from './settings.ts';

/** Who a message to a service of AWS is sent as. `input` for what would make it somebody else. */
export function readAwsAccess(sigv4: Sigv4Config = {}, revealer: Revealer): AwsAccess {
  if (sigv4.role_arn || sigv4.profile) {
    throw new OpsError(
      'input',
      'role_arn and profile of sigv4 are not honoured: messages are sent as the running role, or with access_key',
    );
  }
  const accessKeyId = sigv4.access_key ?? '';
  return {
    region: sigv4.region || undefined,
    credentials: accessKeyId === '' ? undefined : { accessKeyId, secretAccessKey: revealer.reveal(sigv4.secret_key) },
  };
}
