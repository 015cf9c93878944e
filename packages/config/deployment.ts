import * as z from 'zod';
import { type Resources, readResources, takeResource } from './resources.ts';
import type { Environment } from './settings.ts';

/** Names of what a deployment made for the data. */
export interface Deployment {
  readonly bucket: string;
  readonly table: string;
  readonly bus: string;
}

const Named = z.object({ name: z.string().min(1) });

/** Reads the names of bucket, table and bus from the resources `Blobs`, `Table` and `Bus` that stacks/ link. `input` naming what is missing. */
export function readDeployment(resources: Resources = readResources()): Deployment {
  const nameOf = (resource: string) => takeResource(resources, resource, Named).name;
  return { bucket: nameOf('Blobs'), table: nameOf('Table'), bus: nameOf('Bus') };
}

/** True inside a Lambda function's process. */
export function isLambda(env: Environment = process.env): boolean {
  return env.AWS_LAMBDA_FUNCTION_NAME !== undefined;
}
