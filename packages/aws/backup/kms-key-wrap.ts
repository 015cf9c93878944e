import type { KMSClient } from '@aws-sdk/client-kms';
import { callAws } from '#aws/call.ts';
import { type ClientOptions, commonOptions } from '#aws/clients.ts';
import { OpsError } from '#core/errors.ts';
import type { RetryOptions } from '#core/retry.ts';
import type { KeyWrap } from '#ports/key-wrap.ts';

export interface KmsKeyWrapDeps {
  readonly client: KMSClient;
  /** Id, ARN or alias of a symmetric key. */
  readonly keyId: string;
  /** Bound to what is wrapped and shown in CloudTrail: it has to be the same to unwrap, and is no secret. */
  readonly context?: Readonly<Record<string, string>> | undefined;
  readonly retry?: RetryOptions | undefined;
}

const REQUEST_TIMEOUT_MS = 10_000;

/** A KMS client that gives up on a request after 10 s; the SDK is loaded with it. */
export async function createKmsClient(options: ClientOptions): Promise<KMSClient> {
  const { KMSClient } = await import('@aws-sdk/client-kms');
  return new KMSClient(commonOptions(options, REQUEST_TIMEOUT_MS));
}

/** The KeyWrap port on a key of KMS: `kms:Encrypt` to wrap, `kms:Decrypt` to unwrap. Under another context than it was wrapped with a key is `denied`. */
export function createKmsKeyWrap(deps: KmsKeyWrapDeps): KeyWrap {
  const { client, keyId: KeyId, context: EncryptionContext } = deps;
  const on = (operation: string) => ({ operation, resource: `key "${KeyId}"`, repeat: 'always', retry: deps.retry }) as const;
  return {
    async wrap(Plaintext) {
      const { EncryptCommand } = await import('@aws-sdk/client-kms');
      const input = { KeyId, Plaintext, EncryptionContext };
      return given((await callAws(on('kms:Encrypt'), () => refusing(client.send(new EncryptCommand(input))))).CiphertextBlob, KeyId);
    },
    async unwrap(CiphertextBlob) {
      const { DecryptCommand } = await import('@aws-sdk/client-kms');
      const input = { KeyId, CiphertextBlob, EncryptionContext };
      return given((await callAws(on('kms:Decrypt'), () => refusing(client.send(new DecryptCommand(input))))).Plaintext, KeyId);
    },
  };
}

/** KMS has names of its own for what nobody may use, does not exist, and may pass. */
async function refusing<T>(call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (cause) {
    const { name, message } = cause as Error;
    const what = `KMS: ${name}: ${message}`;
    if (DENIED.has(name)) {
      throw new OpsError('denied', what, {
        cause,
        hint: 'The key or its context is not the one that it was wrapped with, or the key may not be used.',
      });
    }
    if (name === 'NotFoundException') throw new OpsError('missing', what, { cause });
    if (PASSING.has(name)) throw new OpsError('unavailable', what, { cause });
    throw cause;
  }
}

const DENIED = new Set([
  'InvalidCiphertextException',
  'IncorrectKeyException',
  'DisabledException',
  'KMSInvalidStateException',
  'InvalidGrantTokenException',
]);
const PASSING = new Set(['KMSInternalException', 'DependencyTimeoutException', 'KeyUnavailableException']);

function given(bytes: Uint8Array | undefined, keyId: string): Uint8Array {
  if (bytes !== undefined) return bytes;
  throw new OpsError('unavailable', `key "${keyId}": the answer has no bytes`);
}
