import { describe, expect, it } from 'vitest';
import { loadConfig } from '#config/load-config.ts';
import { isOpsError } from '#core/errors.ts';
import { takeHook } from '#functions/releases/codedeploy-hook.ts';
import { CrashError, FAULTS, type Fault, faultAt, faulty } from '#ports/faulty.ts';
import { createMemoryBus } from '#ports/memory/memory-bus.ts';
import { createMemoryTable } from '#ports/memory/memory-table.ts';
import { publishOutbox } from '#ports/outbox.ts';
import { readHook } from '#releases/traffic/codedeploy-hook.ts';

const nowMs = Date.parse('2026-11-23T12:00:00Z');
const hook = {
  ...{ deployment: 'd-1', hookExecution: 'h-1', application: 'shop', deploymentGroup: 'live' },
  ...{ version: '42', isEnded: false },
};
const application = (name: string, repository: string) =>
  `application: ${name}\nrepository: ${repository}\nenvironments: [{ name: production }]\n`;
const shop = application('shop', 'codedeploy/shop/live');

async function setUp(files: Readonly<Record<string, string>>) {
  let ids = 0;
  const config = await loadConfig({ readFile: async (path) => files[path], list: async () => Object.keys(files).sort() });
  const ports = { table: createMemoryTable(), bus: createMemoryBus() };
  const run = (over: typeof ports, of = hook) => takeHook({ ...over, config, now: () => nowMs, newId: () => `id${++ids}` }, of);
  return { ports, run, asked: () => new Set(ports.bus.published.map(({ detail }) => `${detail.tenant} ${detail.id}`)) };
}

describe('a hook of CodeDeploy', () => {
  it('asks each tenant that has an application of the deployment group, and no other', async () => {
    const { ports, run } = await setUp({
      'applications/shop.yaml': shop,
      'applications/team-b/shop.yaml': shop,
      'applications/team-c/shop.yaml': application('shop', 'codedeploy/shop/blue'),
    });
    expect(await run(ports)).toEqual({ deployment: 'd-1', tenants: ['default', 'team-b'] });
    expect(await readHook(ports.table, hook)).toEqual({ deployment: 'd-1', hookExecution: 'h-1' });
    const reports = ports.bus.published.map(({ detailType, detail }) => [detailType, detail.tenant, detail.report]);
    const report = expect.objectContaining({ kind: 'release-requested', repository: 'codedeploy/shop/live', version: '42' });
    expect(reports).toEqual([
      ['Ci Reported', 'default', report],
      ['Ci Reported', 'team-b', report],
    ]);
  });

  it('is noted and asked for once, however often it comes', async () => {
    const { ports, run, asked } = await setUp({ 'applications/shop.yaml': shop });
    await run(ports);
    await run(ports, { ...hook, hookExecution: 'h-2' });
    expect(asked().size).toBe(1);
    expect(await readHook(ports.table, hook)).toMatchObject({ hookExecution: 'h-2' });
  });

  it('of a deployment that has ended changes nothing, so that a late repeat does not take a newer one\u2019s place', async () => {
    const { ports, run, asked } = await setUp({ 'applications/shop.yaml': shop });
    await run(ports, { ...hook, deployment: 'd-2' });
    expect(await run(ports, { ...hook, isEnded: true })).toEqual({ deployment: 'd-1', tenants: [] });
    expect(await readHook(ports.table, hook)).toMatchObject({ deployment: 'd-2' });
    expect(asked().size).toBe(1);
  });

  it('that nobody would answer fails, and says what to do', async () => {
    const { ports, run } = await setUp({ 'applications/shop.yaml': application('shop', 'acme/shop') });
    await expect(run(ports)).rejects.toMatchObject({
      ...{ kind: 'missing', message: expect.stringContaining('codedeploy/shop/live'), hint: expect.stringContaining('repositories') },
    });
    expect(await readHook(ports.table, hook)).toBeUndefined();
  });

  it.each(FAULTS)('is noted and asks once for each tenant whichever call meets %s, when it is tried again', async (fault: Fault) => {
    for (let number = 1; ; number++) {
      const { ports, run, asked } = await setUp({ 'applications/shop.yaml': shop, 'applications/team-b/shop.yaml': shop });
      const broken = faulty(ports, faultAt(number, fault));
      await run(broken.ports).catch((error: unknown) => {
        if (!isOpsError(error, 'unavailable') && !(error instanceof CrashError)) throw error;
      });
      await broken.settle();
      await run(ports);
      await publishOutbox(ports);
      expect([number, asked().size]).toEqual([number, 2]);
      expect(await readHook(ports.table, hook)).toMatchObject({ hookExecution: 'h-1' });
      if (broken.calls.length < number) return;
    }
  });
});
