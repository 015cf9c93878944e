import { LambdaClient } from '@aws-sdk/client-lambda';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SSMClient } from '@aws-sdk/client-ssm';
import type { RunningConfiguration } from '#ports/running-configuration.ts';
import { type ClientOptions, commonOptions } from './clients.ts';
import { createRunningConfiguration } from './running-configuration.ts';

const REQUEST_TIMEOUT_MS = 10_000;

/** The RunningConfiguration port with clients of its own, which give up on a request after 10 s. */
export function openRunningConfiguration(options: ClientOptions): RunningConfiguration {
  const common = commonOptions(options, REQUEST_TIMEOUT_MS);
  return createRunningConfiguration({
    lambda: new LambdaClient(common),
    secrets: new SecretsManagerClient(common),
    parameters: new SSMClient(common),
  });
}
