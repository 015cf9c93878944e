import { globSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { bundleFunction } from './bundle-function.ts';
import { root } from './sst-platform.ts';

const MB = 1_000_000;
const data = ['@aws-sdk/client-dynamodb', '@aws-sdk/client-s3'];

/** What a function may weigh, minified, and which clients of AWS it may carry. */
const budgets: Readonly<Record<string, readonly [bytes: number, clients: readonly string[]]>> = {
  'alerts/correlate': [1.5 * MB, [...data, '@aws-sdk/client-eventbridge']],
  'alerts/deliver': [1.7 * MB, [...data, '@aws-sdk/client-eventbridge', '@aws-sdk/client-sesv2', '@aws-sdk/client-sns']],
  'alerts/dispatch': [1.45 * MB, [...data, '@aws-sdk/client-eventbridge']],
  'alerts/evaluate': [1.6 * MB, [...data, '@aws-sdk/client-eventbridge']],
  'alerts/http': [1.7 * MB, [...data, '@aws-sdk/client-eventbridge']],
  'api/create-key': [1.2 * MB, data],
  'api/delete-key': [1.2 * MB, data],
  'events/drain': [1.2 * MB, data],
  'events/publish': [1.2 * MB, [...data, '@aws-sdk/client-eventbridge']],
  'flags/http': [1.3 * MB, data],
  'ingest/aggregate': [1.2 * MB, data],
  'ingest/http': [1.3 * MB, data],
  'ingest/import': [1.25 * MB, data],
  'query/http': [1.4 * MB, data],
  'releases/answer': [1.25 * MB, data],
  'releases/webhooks': [1.35 * MB, [...data, '@aws-sdk/client-eventbridge']],
  'releases/advance': [1.75 * MB, [...data, '@aws-sdk/client-eventbridge']],
  'releases/http': [1.5 * MB, [...data, '@aws-sdk/client-eventbridge']],
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
    if (/^(api|events|ingest)\//.test(name)) expect(shares.has('packages/alerts')).toBe(false);
  });
});
