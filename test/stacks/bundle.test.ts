import { globSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { bundleFunction } from './bundle-function.ts';
import { root } from './sst-platform.ts';

const MB = 1_000_000;
const data = ['@aws-sdk/client-dynamodb', '@aws-sdk/client-s3'];
const andBus = [...data, '@aws-sdk/client-eventbridge'];
const backups = [...andBus, '@aws-sdk/client-dynamodb-streams', '@aws-sdk/client-kms'];

/** What a function may weigh, minified, and which clients of AWS it may carry. */
const budgets: Readonly<Record<string, readonly [bytes: number, clients: readonly string[]]>> = {
  'alerts/correlate': [1.55 * MB, andBus],
  'alerts/deliver': [1.75 * MB, [...andBus, '@aws-sdk/client-sesv2', '@aws-sdk/client-sns']],
  'alerts/dispatch': [1.55 * MB, andBus],
  'alerts/evaluate': [1.65 * MB, andBus],
  'alerts/http': [1.7 * MB, andBus],
  'api/create-key': [1.2 * MB, data],
  'api/delete-key': [1.2 * MB, data],
  'backups/capture': [1.75 * MB, backups],
  'backups/check': [1.75 * MB, backups],
  'backups/copy': [1.75 * MB, backups],
  'backups/drill': [1.75 * MB, backups],
  'backups/forget': [1.75 * MB, backups],
  'backups/http': [1.85 * MB, backups],
  'backups/restore': [1.75 * MB, backups],
  'backups/snapshot': [1.75 * MB, backups],
  'events/drain': [1.2 * MB, data],
  'events/publish': [1.2 * MB, andBus],
  'flags/http': [1.3 * MB, data],
  'ingest/aggregate': [1.2 * MB, data],
  'ingest/http': [1.3 * MB, data],
  'ingest/import': [1.25 * MB, data],
  'query/http': [1.4 * MB, data],
  'releases/advance': [2 * MB, [...andBus, '@aws-sdk/client-api-gateway', '@aws-sdk/client-codedeploy', '@aws-sdk/client-lambda']],
  'releases/answer': [1.2 * MB, data],
  'releases/codedeploy-hook': [1.3 * MB, [...andBus, '@aws-sdk/client-codedeploy']],
  'releases/configure': [1.25 * MB, andBus],
  'releases/http': [2.1 * MB, [...andBus, '@aws-sdk/client-lambda', '@aws-sdk/client-secrets-manager', '@aws-sdk/client-ssm']],
  'releases/webhooks': [1.3 * MB, andBus],
  'storage/compact': [1.2 * MB, data],
  'storage/downsample': [1.2 * MB, data],
  'storage/expire': [1.2 * MB, data],
  'storage/sweep': [1.2 * MB, data],
};

/** Native or large, and of no use on Lambda. */
const never = /^(@duckdb\/|snappy|@napi-rs\/|@hono\/node-server|hyparquet|@pulumi\/|sst$)/;

describe('the bundle of', () => {
  it('every function has a budget', () => {
    const handlers = globSync('functions/*/*.ts', { cwd: root }).map((file) => file.slice('functions/'.length, -'.ts'.length));
    expect(handlers.sort()).toEqual(Object.keys(budgets).sort());
  });

  it.each(Object.entries(budgets))('%s keeps to its budget and its clients', async (name, [maxBytes, clients]) => {
    const { code, packages, shares } = await bundleFunction(`${root}/functions/${name}.ts`);
    expect([...packages].filter((each) => each.startsWith('@aws-sdk/client-')).sort()).toEqual([...clients].sort());
    expect([...packages].filter((each) => never.test(each))).toEqual([]);
    expect(code.length).toBeLessThanOrEqual(maxBytes);
    if (!/^(alerts|backups|query|releases\/(advance|http)|storage\/sweep)/.test(name)) expect(shares.has('packages/alerts')).toBe(false);
  });
});
