import { APIGatewayClient } from '@aws-sdk/client-api-gateway';
import { CodeDeployClient } from '@aws-sdk/client-codedeploy';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { type ClientOptions, commonOptions } from '#aws/clients.ts';

const REQUEST_TIMEOUT_MS = 10_000;

/** A Lambda client that gives up on a request after 10 s. */
export function createLambdaClient(options: ClientOptions): LambdaClient {
  return new LambdaClient(commonOptions(options, REQUEST_TIMEOUT_MS));
}

/** An API Gateway client that gives up on a request after 10 s. */
export function createApiGatewayClient(options: ClientOptions): APIGatewayClient {
  return new APIGatewayClient(commonOptions(options, REQUEST_TIMEOUT_MS));
}

/** A CodeDeploy client that gives up on a request after 10 s. */
export function createCodeDeployClient(options: ClientOptions): CodeDeployClient {
  return new CodeDeployClient(commonOptions(options, REQUEST_TIMEOUT_MS));
}
