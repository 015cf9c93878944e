import * as z from 'zod';

const name = (what: string) => z.string().regex(/^[\w:./-]{1,200}$/, `takes the name of ${what}`);
const region = z
  .string()
  .regex(/^[a-z]{2}(?:-[a-z]+)+-\d$/, 'takes a region such as eu-west-1')
  .optional();

/** A Lambda alias whose weights are shifted between two published versions. */
export const LambdaAliasSettings = z.strictObject({
  function: name('a function'),
  alias: name('an alias'),
  region,
});
export type LambdaAliasSettings = z.infer<typeof LambdaAliasSettings>;

/** A stage of an API Gateway REST API, by its canary settings; versions are deployments. */
export const ApiGatewaySettings = z.strictObject({
  restApi: name('a REST API'),
  stage: name('a stage'),
  region,
});
export type ApiGatewaySettings = z.infer<typeof ApiGatewaySettings>;

/** A deployment group of CodeDeploy to Lambda: CodeDeploy shifts its traffic by itself, and asks our hook before. */
export const CodeDeploySettings = z.strictObject({
  application: name('an application of CodeDeploy'),
  deploymentGroup: name('a deployment group'),
  region,
});
export type CodeDeploySettings = z.infer<typeof CodeDeploySettings>;

/** A feature flag of ours: its rollout in percent is the weight. */
export const FlagSettings = z.strictObject({ flag: z.string().min(1).max(256) });
export type FlagSettings = z.infer<typeof FlagSettings>;

/** Somebody's own traffic control behind one URL. */
export const WebhookTrafficSettings = z.strictObject({
  url: z.url({ protocol: /^https?$/, error: 'takes an http or https URL' }),
  timeoutMs: z.int().min(100).max(60_000).default(10_000),
  parameters: z.record(z.string().max(100), z.string().max(1_000)).default({}),
});
export type WebhookTrafficSettings = z.infer<typeof WebhookTrafficSettings>;

/** The settings of each driver by its type. */
export const trafficSettings = {
  'lambda-alias': LambdaAliasSettings,
  'api-gateway': ApiGatewaySettings,
  codedeploy: CodeDeploySettings,
  flag: FlagSettings,
  webhook: WebhookTrafficSettings,
} as const;
