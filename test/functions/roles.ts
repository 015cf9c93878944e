import type { Attempt } from '#test/stacks/allows.ts';
import type { Deployed } from '#test/stacks/deployed.ts';
import type { Access } from './recording-proxy.ts';

/** How a function's component is called in the stacks. */
export function componentOf(name: string): string {
  return name.replace(/(?:^|-)(.)/g, (_, letter: string) => letter.toUpperCase());
}

/** The deployment's own ARNs, by the names that the stand-ins have. */
export function arnsOf(deployed: Deployed, names: Readonly<Record<string, string>>): ReadonlyMap<string, string> {
  const bucket = (name: string) =>
    `arn:aws:s3:::${deployed.named('s3/bucket:Bucket').find((each) => each.name.startsWith(name))?.inputs.bucket}`;
  const regional = (service: string, resource: string) => `arn:aws:${service}:eu-west-1:123456789012:${resource}`;
  return new Map([
    [names.Blobs, bucket('Blobs')],
    [names.Uploads, bucket('Uploads')],
    [names.Backups, bucket('Backups')],
    ['Table', regional('dynamodb', `table/${deployed.only('dynamodb/table:Table').name}`)],
    ['Bus', regional('events', `event-bus/${deployed.only('cloudwatch/eventBus:EventBus').name}`)],
  ]);
}

/** What IAM is asked for an access. */
export function attemptOf({ action, resource, target }: Access, arns: ReadonlyMap<string, string>): Attempt {
  const arn = arns.get(resource) ?? resource;
  if (action === 's3:ListBucket') return { action, resource: arn, context: { 's3:prefix': [target] } };
  if (action.startsWith('s3:')) return { action, resource: target === '' ? arn : `${arn}/${target}`, context: {} };
  return { action, resource: arn, context: { 'dynamodb:LeadingKeys': [target] } };
}
