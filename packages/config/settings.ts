import * as z from 'zod';
import { OpsError } from '#core/errors.ts';
import { describeValue } from './describe-issue.ts';
import { apiAddress, privateKey } from './provider-api.ts';
import { tenantName, tenantNameRule } from './tenant-name.ts';
import { parseTenantSecrets, type TenantSecret } from './tenant-secrets.ts';
import { parseTokens, type TokenGrant } from './tokens.ts';

/** Variables by name, as in process.env. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** What the environment says about how a server runs. */
export interface Settings {
  readonly port: number;
  readonly host: string;
  readonly dataDir: string;
  /** Folder of YAML; `named` false: `./config`, which need not be there. */
  readonly config: { readonly dir: string; readonly named: boolean };
  readonly tokens: readonly TokenGrant[];
  readonly self: boolean;
  readonly schedules: boolean;
  readonly backend: 'local' | 'aws';
  readonly awsEndpointUrl: string | undefined;
  readonly allowPrivateTargets: boolean;
  /** Where people reach this server, if not at the address it listens on. */
  readonly externalUrl: string | undefined;
  /** What verifies deliveries of `/webhooks/...`, by tenant. */
  readonly githubSecrets: readonly TenantSecret[];
  readonly gitlabTokens: readonly TenantSecret[];
  readonly ciSecrets: readonly TenantSecret[];
  /** The GitHub App that answers, and whose deliveries it answers; without its key in a function that only has to know it. */
  readonly githubApp: { readonly id: string; readonly privateKey: string | undefined; readonly tenant: string } | undefined;
  /** Without a slash at the end. */
  readonly githubApi: string;
  readonly gitlabApi: string;
  /** What GitLab is answered with. */
  readonly gitlabApiTokens: readonly TenantSecret[];
  readonly backupPassphrase: string | undefined;
  /** Of the repository that snapshots are copied to, where it is another. */
  readonly backupPassphraseTo: string | undefined;
  /** Folders right below it are the only ones that the API restores to. */
  readonly restoreFolder: string | undefined;
}

const switchField = (fallback: 'on' | 'off') =>
  z
    .enum(['on', 'off'], 'takes on or off')
    .default(fallback)
    .transform((value) => value === 'on');

const path = (fallback: string) =>
  z
    .string()
    .refine((text) => !text.includes('\0'), 'takes a folder')
    .default(fallback);

const tenantSecrets = z.string().default('').transform(parseTenantSecrets);

const secret = z.string().min(8, 'takes a secret of at least 8 characters').optional();

const variables = z.object({
  PORT: z
    .string()
    .regex(/^\d{1,5}$/, 'takes a port from 0 to 65535 (0: any free one)')
    .transform(Number)
    .refine((port) => port <= 65_535, 'takes a port from 0 to 65535 (0: any free one)')
    .default(4318),
  HOST: z
    .string()
    .regex(/^[A-Za-z0-9.:_-]{1,253}$/, 'takes an address or host name without brackets, such as 127.0.0.1, ::1 or 0.0.0.0')
    .default('127.0.0.1'),
  QUARTERDECK_DATA: path('./.quarterdeck'),
  QUARTERDECK_CONFIG: path('').transform((dir) => ({ dir: dir || './config', named: dir !== '' })),
  QUARTERDECK_TOKENS: z.string().default('').transform(parseTokens),
  QUARTERDECK_SELF: switchField('on'),
  QUARTERDECK_SCHEDULES: switchField('on'),
  QUARTERDECK_BACKEND: z.enum(['local', 'aws'], 'takes local or aws').default('local'),
  AWS_ENDPOINT_URL: z.url({ protocol: /^https?$/, error: 'takes an http or https URL' }).optional(),
  QUARTERDECK_ALLOW_PRIVATE_TARGETS: switchField('off'),
  QUARTERDECK_EXTERNAL_URL: z.url({ protocol: /^https?$/, error: 'takes an http or https URL' }).optional(),
  QUARTERDECK_GITHUB_SECRET: tenantSecrets,
  QUARTERDECK_GITLAB_TOKEN: tenantSecrets,
  QUARTERDECK_CI_SECRET: tenantSecrets,
  QUARTERDECK_GITHUB_APP_ID: z
    .string()
    .regex(/^[A-Za-z0-9._-]{1,64}$/, 'takes the number or client id of a GitHub App')
    .optional(),
  QUARTERDECK_GITHUB_APP_KEY: privateKey.optional(),
  QUARTERDECK_GITHUB_APP_TENANT: z.string().regex(tenantName, tenantNameRule).default('default'),
  QUARTERDECK_GITHUB_API: apiAddress('https://api.github.com'),
  QUARTERDECK_GITLAB_API: apiAddress('https://gitlab.com/api/v4'),
  QUARTERDECK_GITLAB_API_TOKEN: tenantSecrets,
  QUARTERDECK_BACKUP_PASSPHRASE: secret,
  QUARTERDECK_BACKUP_PASSPHRASE_TO: secret,
  QUARTERDECK_RESTORE_FOLDER: z
    .string()
    .refine((text) => text.startsWith('/') && !text.includes('\0'), 'takes the absolute path of a folder')
    .optional(),
});

const secretNames: ReadonlySet<string> = new Set([
  'QUARTERDECK_TOKENS',
  'QUARTERDECK_GITHUB_SECRET',
  'QUARTERDECK_GITLAB_TOKEN',
  'QUARTERDECK_CI_SECRET',
  'QUARTERDECK_GITHUB_APP_KEY',
  'QUARTERDECK_GITLAB_API_TOKEN',
  'QUARTERDECK_BACKUP_PASSPHRASE',
  'QUARTERDECK_BACKUP_PASSPHRASE_TO',
]);

/**
 * Reads every setting; an empty variable is one that is not set. `input` with a line for each wrong one: its name, what it
 * got (secrets are never shown) and what it takes.
 */
export function readSettings(env: Environment = process.env): Settings {
  const present = Object.fromEntries(Object.keys(variables.shape).map((name) => [name, env[name] === '' ? undefined : env[name]]));
  const parsed = variables.safeParse(present);
  const problems = (parsed.error?.issues ?? []).map(({ path: [name], message }) =>
    describeSetting(String(name), present[String(name)], message),
  );
  const host = present.HOST ?? '127.0.0.1';
  if (!isLoopback(host) && present.QUARTERDECK_TOKENS === undefined) {
    problems.push(
      `QUARTERDECK_TOKENS: got nothing; HOST=${describeValue(host)} is not loopback, which takes tokens (token=tenant:scope+scope,...)`,
    );
  }
  const { QUARTERDECK_GITHUB_APP_ID: appId, QUARTERDECK_GITHUB_APP_KEY: appKey } = present;
  const isKeyElsewhere = env.AWS_LAMBDA_FUNCTION_NAME !== undefined && appKey === undefined; // one function of several has it
  if ((appId === undefined) !== (appKey === undefined) && !isKeyElsewhere) {
    const [lacking, given] = ['QUARTERDECK_GITHUB_APP_ID', 'QUARTERDECK_GITHUB_APP_KEY'].sort((a) => (present[a] === undefined ? -1 : 1));
    problems.push(`${lacking}: got nothing; ${given} takes it too`);
  }
  if (!parsed.success || problems.length > 0)
    throw new OpsError('input', problems.join('\n'), { hint: 'Correct the environment and start again.' });
  return toSettings(parsed.data);
}

function toSettings(data: z.infer<typeof variables>): Settings {
  return {
    port: data.PORT,
    host: data.HOST,
    dataDir: data.QUARTERDECK_DATA,
    config: data.QUARTERDECK_CONFIG,
    tokens: data.QUARTERDECK_TOKENS,
    self: data.QUARTERDECK_SELF,
    schedules: data.QUARTERDECK_SCHEDULES,
    backend: data.QUARTERDECK_BACKEND,
    awsEndpointUrl: data.AWS_ENDPOINT_URL,
    allowPrivateTargets: data.QUARTERDECK_ALLOW_PRIVATE_TARGETS,
    externalUrl: data.QUARTERDECK_EXTERNAL_URL?.replace(/\/+$/, ''),
    githubSecrets: data.QUARTERDECK_GITHUB_SECRET,
    gitlabTokens: data.QUARTERDECK_GITLAB_TOKEN,
    ciSecrets: data.QUARTERDECK_CI_SECRET,
    githubApp: toGithubApp(data),
    githubApi: data.QUARTERDECK_GITHUB_API,
    gitlabApi: data.QUARTERDECK_GITLAB_API,
    gitlabApiTokens: data.QUARTERDECK_GITLAB_API_TOKEN,
    backupPassphrase: data.QUARTERDECK_BACKUP_PASSPHRASE,
    backupPassphraseTo: data.QUARTERDECK_BACKUP_PASSPHRASE_TO,
    restoreFolder: data.QUARTERDECK_RESTORE_FOLDER,
  };
}

function toGithubApp(data: z.infer<typeof variables>): Settings['githubApp'] {
  const { QUARTERDECK_GITHUB_APP_ID: id, QUARTERDECK_GITHUB_APP_KEY: key, QUARTERDECK_GITHUB_APP_TENANT: tenant } = data;
  return id === undefined ? undefined : { id, privateKey: key, tenant };
}

function describeSetting(name: string, value: string | undefined, takes: string): string {
  const got = secretNames.has(name) ? `a value of ${value?.length ?? 0} characters` : describeValue(value);
  return `${name}: got ${got}; ${takes}`;
}

/** True for an address that only this machine reaches. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(host);
}
