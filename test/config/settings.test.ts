import { generateKeyPairSync } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { readResources, takeResource } from '#config/resources.ts';
import { isLoopback, readSettings } from '#config/settings.ts';
import { isOpsError } from '#core/errors.ts';

const refusal = (call: () => unknown): string => {
  try {
    call();
  } catch (error) {
    if (isOpsError(error, 'input')) return error.message;
    throw error;
  }
  return 'accepted';
};
const wrong = (env: Record<string, string>) => refusal(() => readSettings(env));

describe('settings', () => {
  it('have their defaults in an empty environment', () => {
    expect(readSettings({})).toEqual({
      port: 4318,
      host: '127.0.0.1',
      dataDir: './.quarterdeck',
      config: { dir: './config', named: false },
      tokens: [],
      self: true,
      schedules: true,
      backend: 'local',
      awsEndpointUrl: undefined,
      allowPrivateTargets: false,
      githubSecrets: [],
      gitlabTokens: [],
      ciSecrets: [],
      githubApp: undefined,
      githubApi: 'https://api.github.com',
      gitlabApi: 'https://gitlab.com/api/v4',
      gitlabApiTokens: [],
      backupPassphrase: undefined,
    });
  });

  it('are each read from their variable', () => {
    const settings = readSettings({
      PORT: '0',
      HOST: '0.0.0.0',
      QUARTERDECK_DATA: '/data',
      QUARTERDECK_CONFIG: '/etc/quarterdeck',
      QUARTERDECK_TOKENS: 'abc==team-a:ingest+query, root=default:admin,abc==team-b:query',
      QUARTERDECK_SELF: 'off',
      QUARTERDECK_SCHEDULES: 'off',
      QUARTERDECK_BACKEND: 'aws',
      AWS_ENDPOINT_URL: 'http://127.0.0.1:8000',
      QUARTERDECK_ALLOW_PRIVATE_TARGETS: 'on',
      QUARTERDECK_GITHUB_SECRET: 'secret-github',
      QUARTERDECK_GITLAB_TOKEN: 'secret-gitlab',
      QUARTERDECK_CI_SECRET: 'secret-ci',
      QUARTERDECK_BACKUP_PASSPHRASE: 'secret-backup',
      QUARTERDECK_RESTORE_FOLDER: '/srv/restored',
    });
    expect(settings).toMatchObject({ port: 0, host: '0.0.0.0', self: false, schedules: false, backend: 'aws', allowPrivateTargets: true });
    expect(settings.config).toEqual({ dir: '/etc/quarterdeck', named: true });
    expect(settings.tokens).toEqual([
      { token: 'abc=', tenant: 'team-a', scopes: new Set(['ingest', 'query']) },
      { token: 'root', tenant: 'default', scopes: new Set(['admin']) },
      { token: 'abc=', tenant: 'team-b', scopes: new Set(['query']) },
    ]);
    expect(settings.githubSecrets).toEqual([{ tenant: 'default', secret: 'secret-github' }]);
    expect(settings.gitlabTokens).toEqual([{ tenant: 'default', secret: 'secret-gitlab' }]);
    expect(settings.ciSecrets).toEqual([{ tenant: 'default', secret: 'secret-ci' }]);
    expect(settings.backupPassphrase).toBe('secret-backup');
    expect(settings.restoreFolder).toBe('/srv/restored');
  });

  it.each<[string, string, readonly [tenant: string, secret: string][]]>([
    ['one secret', 'secret-github', [['default', 'secret-github']]],
    ['one secret with the padding of Base64', 'c2VjcmV0LWdpdGh1Yg==', [['default', 'c2VjcmV0LWdpdGh1Yg==']]],
    ['one secret that no tenant could begin', '$ecret=github,both', [['default', '$ecret=github,both']]],
    ['a secret of one tenant', 'team-a=secret=a=', [['team-a', 'secret=a=']]],
    [
      'two tenants, one of which changes its secret',
      'team-a=secret-a, team-b=secret-b,team-a=secret-c',
      [
        ['team-a', 'secret-a'],
        ['team-b', 'secret-b'],
        ['team-a', 'secret-c'],
      ],
    ],
  ])('take %s for webhooks', (_name, text, expected) => {
    const { githubSecrets } = readSettings({ QUARTERDECK_GITHUB_SECRET: text });
    expect(githubSecrets.map(({ tenant, secret }) => [tenant, secret])).toEqual(expected);
  });

  it('take the key of a GitHub App with its line ends written out, and an API on loopback', () => {
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const pem = String(privateKey.export({ type: 'pkcs8', format: 'pem' }));
    const settings = readSettings({
      QUARTERDECK_GITHUB_APP_ID: '12',
      QUARTERDECK_GITHUB_APP_KEY: pem.replaceAll('\n', '\\n'),
      QUARTERDECK_GITHUB_APP_TENANT: 'team-a',
      QUARTERDECK_GITHUB_API: 'http://127.0.0.1:8080/api/v3/',
    });
    expect(settings.githubApp).toEqual({ id: '12', privateKey: pem, tenant: 'team-a' });
    expect(settings.githubApi).toBe('http://127.0.0.1:8080/api/v3');
  });

  it('take a GitHub App without its key on Lambda, where another function has it', () => {
    const app = { QUARTERDECK_GITHUB_APP_ID: '12', QUARTERDECK_GITHUB_APP_KEY: '', QUARTERDECK_GITHUB_APP_TENANT: '' };
    expect(readSettings({ ...app, AWS_LAMBDA_FUNCTION_NAME: 'webhooks' }).githubApp).toEqual({
      ...{ id: '12', tenant: 'default', privateKey: undefined },
    });
    expect(() => readSettings(app)).toThrow('QUARTERDECK_GITHUB_APP_KEY: got nothing; QUARTERDECK_GITHUB_APP_ID takes it too');
  });

  it('take an empty variable as one that is not set', () =>
    expect(readSettings({ PORT: '', HOST: '', QUARTERDECK_SELF: '' }).port).toBe(4318));

  it.each([
    [
      'a folder that is not absolute',
      { QUARTERDECK_RESTORE_FOLDER: 'x' },
      'QUARTERDECK_RESTORE_FOLDER: got "x"; takes the absolute path of a folder',
    ],
    ['a port that is no number', { PORT: '80a' }, 'PORT: got "80a"; takes a port from 0 to 65535 (0: any free one)'],
    ['a port too high', { PORT: '70000' }, 'PORT: got "70000"; takes a port from 0 to 65535 (0: any free one)'],
    ['a switch', { QUARTERDECK_SELF: 'yes' }, 'QUARTERDECK_SELF: got "yes"; takes on or off'],
    ['a backend', { QUARTERDECK_BACKEND: 'gcp' }, 'QUARTERDECK_BACKEND: got "gcp"; takes local or aws'],
    ['an endpoint', { AWS_ENDPOINT_URL: 'ftp://x' }, 'AWS_ENDPOINT_URL: got "ftp://x"; takes an http or https URL'],
    [
      'a host beyond loopback without tokens',
      { HOST: '0.0.0.0' },
      'QUARTERDECK_TOKENS: got nothing; HOST="0.0.0.0" is not loopback, which takes tokens (token=tenant:scope+scope,...)',
    ],
    [
      'a token without tenant',
      { QUARTERDECK_TOKENS: 'hush' },
      'QUARTERDECK_TOKENS: got a value of 4 characters; entry 1: takes token=tenant:scope+scope',
    ],
    [
      'an unknown scope',
      { QUARTERDECK_TOKENS: 'hush=t:query,hush2=t:write' },
      'QUARTERDECK_TOKENS: got a value of 26 characters; entry 2: takes scopes ingest, query, admin joined by + after the last :; its scope 1 is none of them',
    ],
    [
      'a repeated grant',
      { QUARTERDECK_TOKENS: 'hush=t:query,hush=t:admin' },
      'QUARTERDECK_TOKENS: got a value of 25 characters; entry 2: repeats the token and tenant of an earlier entry',
    ],
    [
      'a short secret, which is not shown',
      { QUARTERDECK_CI_SECRET: 'hush' },
      'QUARTERDECK_CI_SECRET: got a value of 4 characters; takes a secret of at least 8 characters',
    ],
    [
      'a short secret of one tenant, and one of two tenants',
      { QUARTERDECK_GITHUB_SECRET: 'team-a=hush,team-b=hush-hush,team-c=hush-hush,hush-hush-hush' },
      [
        'QUARTERDECK_GITHUB_SECRET: got a value of 60 characters; entry 1: takes a secret of at least 8 characters',
        'QUARTERDECK_GITHUB_SECRET: got a value of 60 characters; entry 3: repeats the secret of an earlier entry',
        'QUARTERDECK_GITHUB_SECRET: got a value of 60 characters; entry 4: takes tenant=secret',
      ].join('\n'),
    ],
    [
      'a key that is none, which is not shown',
      { QUARTERDECK_GITHUB_APP_ID: '12', QUARTERDECK_GITHUB_APP_KEY: 'hush-hush' },
      'QUARTERDECK_GITHUB_APP_KEY: got a value of 9 characters; takes a private RSA key as PEM; its line ends may be written as \\n',
    ],
    [
      'an App without its key',
      { QUARTERDECK_GITHUB_APP_ID: '12' },
      'QUARTERDECK_GITHUB_APP_KEY: got nothing; QUARTERDECK_GITHUB_APP_ID takes it too',
    ],
    [
      'an API that tokens would be sent to in the clear',
      { QUARTERDECK_GITHUB_API: 'http://github.example.com/api/v3' },
      'QUARTERDECK_GITHUB_API: got "http://github.example.com/api/v3"; takes an https URL without query (http on loopback alone)',
    ],
  ])('stop at %s', (_name, env, message) => expect(wrong(env)).toBe(message));

  it('name every problem at once', () => {
    const message = wrong({ PORT: 'x', QUARTERDECK_SELF: '1', HOST: 'exa mple', QUARTERDECK_TOKENS: 'a,b' });
    expect(message.split('\n').map((line) => line.split(':')[0])).toEqual([
      'PORT',
      'HOST',
      'QUARTERDECK_TOKENS',
      'QUARTERDECK_TOKENS',
      'QUARTERDECK_SELF',
    ]);
  });

  it('never show a token, and never fail but with what was wrong', () => {
    const part = fc.constantFrom('=', ':', '+', ',', 'default', 'query', 'ingest', ' ', 'zebra', '\n');
    fc.assert(
      fc.property(fc.array(part, { maxLength: 12 }), (parts) => {
        const message = wrong({ QUARTERDECK_TOKENS: `zebra${parts.join('')}=t:none` });
        expect(message).toMatch(/^QUARTERDECK_TOKENS: /);
        expect(message).not.toContain('zebra');
      }),
    );
  });

  it.each([
    ['127.0.0.1', true],
    ['127.9.9.9', true],
    ['::1', true],
    ['localhost', true],
    ['0.0.0.0', false],
    ['::', false],
    ['127.0.0.1.example.org', false],
    ['10.0.0.1', false],
  ])('%s is loopback: %s', (host, loopback) => expect(isLoopback(host)).toBe(loopback));
});

describe('linked resources', () => {
  const Bucket = z.object({ name: z.string() });

  it('are read by name', () => {
    const resources = readResources({
      SST_RESOURCE_Blobs: '{"name":"b-1","type":"bucket"}',
      SST_RESOURCE_App: '{"name":"q","stage":"dev"}',
      OTHER: '1',
    });
    expect([...resources.keys()]).toEqual(['Blobs', 'App']);
    expect(takeResource(resources, 'Blobs', Bucket)).toEqual({ name: 'b-1' });
  });

  it('that are missing or broken are named without their value', () => {
    expect(refusal(() => readResources({ SST_RESOURCE_Key: '{hush' }))).toBe(
      'SST_RESOURCE_Key: got 5 characters that are no JSON; takes the JSON that the deployment sets',
    );
    expect(refusal(() => takeResource(new Map(), 'Blobs', Bucket))).toMatch(/^SST_RESOURCE_Blobs: /);
    expect(refusal(() => takeResource(new Map([['Blobs', {}]]), 'Blobs', Bucket))).toMatch(/^SST_RESOURCE_Blobs\.name: /);
  });
});
