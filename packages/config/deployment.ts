import * as z from 'zod';
import { type Resources, readResources, takeResource } from './resources.ts';
import { type Environment, readSettings } from './settings.ts';

/** Names of what a deployment made for the data. */
export interface Deployment {
  readonly bucket: string;
  /** The bucket of files on their way to an import. */
  readonly uploads: string;
  readonly table: string;
  readonly bus: string;
}

const Named = z.object({ name: z.string().min(1) });

/** Reads the names from the resources `Blobs`, `Uploads`, `Table` and `Bus` that stacks/ tell every function. `input` naming what is missing. */
export function readDeployment(resources: Resources = readResources()): Deployment {
  const nameOf = (resource: string) => takeResource(resources, resource, Named).name;
  return { bucket: nameOf('Blobs'), uploads: nameOf('Uploads'), table: nameOf('Table'), bus: nameOf('Bus') };
}

/** True inside a Lambda function's process. */
export function isLambda(env: Environment = process.env): boolean {
  return env.AWS_LAMBDA_FUNCTION_NAME !== undefined;
}

/** What the running Lambda function is called; '' elsewhere. */
export function functionName(env: Environment = process.env): string {
  return env.AWS_LAMBDA_FUNCTION_NAME ?? '';
}

/** How a deployment is reached and what it may reach, by the same variables as an embedded server's. `input` as readSettings. */
export function readReach(env: Environment = process.env): { readonly externalUrl: string; readonly allowPrivateTargets: boolean } {
  const { externalUrl = '', allowPrivateTargets } = readSettings(env);
  return { externalUrl, allowPrivateTargets };
}
