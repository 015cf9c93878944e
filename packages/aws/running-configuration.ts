import { GetFunctionConfigurationCommand, type LambdaClient } from '@aws-sdk/client-lambda';
import { DescribeSecretCommand, type SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { DescribeParametersCommand, type SSMClient } from '@aws-sdk/client-ssm';
import { isOpsError, OpsError } from '#core/errors.ts';
import type { RetryOptions } from '#core/retry.ts';
import type { RunningConfiguration } from '#ports/running-configuration.ts';
import { callAws } from './call.ts';

export interface RunningConfigurationDeps {
  readonly lambda: LambdaClient;
  readonly secrets: SecretsManagerClient;
  readonly parameters: SSMClient;
  readonly retry?: RetryOptions | undefined;
}

/**
 * The RunningConfiguration port by descriptions alone. Needs lambda:GetFunctionConfiguration, secretsmanager:DescribeSecret and
 * ssm:DescribeParameters, and no permission that reads a secret.
 */
export function createRunningConfiguration(deps: RunningConfigurationDeps): RunningConfiguration {
  const { lambda, secrets, parameters, retry } = deps;
  return {
    async hasSecret(reference) {
      const [, service, name = ''] = /^(secretsmanager|ssm):([^#]+)/.exec(reference) ?? [];
      if (service === 'ssm') {
        const options = { operation: 'ssm:DescribeParameters', resource: `parameter "${name}"`, repeat: 'always', retry } as const;
        const input = { ParameterFilters: [{ Key: 'Name', Option: 'Equals', Values: [name] }] };
        const { Parameters = [] } = await callAws(options, () => parameters.send(new DescribeParametersCommand(input)));
        return Parameters.length > 0;
      }
      if (service === undefined) throw new OpsError('input', `${reference} is no reference to a secret`);
      const options = { operation: 'secretsmanager:DescribeSecret', resource: `secret "${name}"`, repeat: 'always', retry } as const;
      const found = await orMissing(callAws(options, () => secrets.send(new DescribeSecretCommand({ SecretId: name }))));
      return found !== undefined && found.DeletedDate === undefined;
    },
    async variablesOf(functionName) {
      const options = {
        operation: 'lambda:GetFunctionConfiguration',
        resource: `function "${functionName}"`,
        repeat: 'always',
        retry,
      } as const;
      const input = { FunctionName: functionName };
      const found = await orMissing(callAws(options, () => lambda.send(new GetFunctionConfigurationCommand(input))));
      return found && { values: found.Environment?.Variables ?? {} };
    },
  };
}

async function orMissing<T>(call: Promise<T>): Promise<T | undefined> {
  try {
    return await call;
  } catch (error) {
    if (isOpsError(error, 'missing')) return undefined;
    throw error;
  }
}
