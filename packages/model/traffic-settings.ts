import * as z from 'zod';

const name = (what: string) => z.string().regex(/^[\w:./-]{1,200}$/, `takes the name of ${what}`);
const region = z
  .string()
  .regex(/^[a-z]{2}(?:-[a-z]+)+-\d$/, 'takes a region such as eu-west-1')
  .optional();

/** A Lambda alias whose weights are shifted between two published versions. */
export const LambdaAliasSettings = z.strictObject({
  driver: z.literal('lambda-alias'),
  function: name('a function'),
  alias: name('an alias'),
  region,
});
export type LambdaAliasSettings = z.infer<typeof LambdaAliasSettings>;

/** A stage of an API Gateway REST API, by its canary settings; versions are deployments. */
export const ApiGatewaySettings = z.strictObject({
  driver: z.literal('api-gateway'),
  restApi: name('a REST API'),
  stage: name('a stage'),
  region,
});
export type ApiGatewaySettings = z.infer<typeof ApiGatewaySettings>;

/**
 * A deployment of CodeDeploy to Lambda, which shifts traffic by itself and asks a hook before and after. The deployment and the execution of its
 * hook come with each release.
 */
export const CodeDeploySettings = z.strictObject({
  driver: z.literal('codedeploy'),
  deployment: name('a deployment'),
  hookExecution: z.string().min(1).max(2_048),
  region,
});
export type CodeDeploySettings = z.infer<typeof CodeDeploySettings>;

/** A feature flag of ours: its rollout in percent is the weight. */
export const FlagSettings = z.strictObject({ driver: z.literal('flag'), flag: z.string().min(1).max(256) });
export type FlagSettings = z.infer<typeof FlagSettings>;

/** Somebody's own traffic control behind one URL. */
export const WebhookTrafficSettings = z.strictObject({
  driver: z.literal('webhook'),
  url: z.url({ protocol: /^https?$/, error: 'takes an http or https URL' }),
  timeoutMs: z.int().min(100).max(60_000).default(10_000),
  parameters: z.record(z.string().max(100), z.string().max(1_000)).default({}),
});
export type WebhookTrafficSettings = z.infer<typeof WebhookTrafficSettings>;

/** What an application says of where its traffic is shifted. */
export const TrafficSettings = z.discriminatedUnion('driver', [
  LambdaAliasSettings,
  ApiGatewaySettings,
  CodeDeploySettings,
  FlagSettings,
  WebhookTrafficSettings,
]);
export type TrafficSettings = z.infer<typeof TrafficSettings>;
