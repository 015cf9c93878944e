import { describe, expect, it } from 'vitest';
import { FAULTS, faultAt, faulty } from '#ports/faulty.ts';
import { createMemoryTable } from '#ports/memory/memory-table.ts';
import type { Table } from '#ports/table.ts';
import { activateConfig, readActive } from '#releases/configuration/activate.ts';
import { ConfigDocument } from '#releases/configuration/document.ts';
import { followRelease, type ReleaseStep, readPin } from '#releases/configuration/follow-release.ts';
import { writeVersion } from '#releases/configuration/versions.ts';

const now = () => Date.parse('2026-11-27T12:00:00Z');
const place = { tenant: 'acme', application: 'shop', environment: 'production' };
const who = { by: 'ann', message: '' };
const stepOf = (kind: ReleaseStep['kind'], release = 'r1'): ReleaseStep => ({ ...place, kind, release, version: '1.1.0' });

/** Two versions of base, of which the first is active. */
async function createShop(): Promise<Table> {
  const table = createMemoryTable();
  const write = (value: string, expected: number) =>
    writeVersion({ table, now }, { ...place, ...who, layer: 'base', document: ConfigDocument.parse({ env: { A: value } }), expected });
  await write('1', 0);
  await activateConfig({ table, now }, { ...place, ...who, pin: { base: 1, environment: 0 }, expectedRevision: 0 });
  await write('2', 1);
  return table;
}

const activeBase = async (table: Table) => (await readActive(table, place)).base;

describe('the configuration of a release', () => {
  it('is noted at its start, active once it is promoted, and gone again when it is rolled back', async () => {
    const table = await createShop();
    await followRelease({ table, now }, stepOf('started'));
    expect([await readPin(table, { ...place, release: 'r1' }), await activeBase(table)]).toEqual([{ base: 2, environment: 0 }, 1]);
    await followRelease({ table, now }, stepOf('promoted'));
    expect(await readActive(table, place)).toMatchObject({ base: 2, release: 'r1', message: '1.1.0 was promoted' });
    await followRelease({ table, now }, stepOf('rolled-back'));
    expect(await activeBase(table)).toBe(1);
  });

  it('is what there was when it started, whatever is written meanwhile', async () => {
    const table = await createShop();
    await followRelease({ table, now }, stepOf('started'));
    const document = ConfigDocument.parse({ env: { A: '3' } });
    await writeVersion({ table, now }, { ...place, ...who, layer: 'base', document, expected: 2 });
    await followRelease({ table, now }, stepOf('promoted'));
    expect(await activeBase(table)).toBe(2);
  });

  it('stays as it is for a release that never was promoted, and for one that another has followed', async () => {
    const table = await createShop();
    await followRelease({ table, now }, stepOf('started', 'r0'));
    await followRelease({ table, now }, stepOf('rolled-back', 'r0'));
    expect(await activeBase(table)).toBe(1);
    await followRelease({ table, now }, stepOf('promoted'));
    await activateConfig({ table, now }, { ...place, ...who, pin: { base: 1, environment: 0 }, expectedRevision: 2 });
    await followRelease({ table, now }, stepOf('rolled-back'));
    await followRelease({ table, now }, stepOf('promoted'));
    expect(await readActive(table, place)).toMatchObject({ base: 1, revision: 3 });
  });

  it('is not that of a release that was rolled back, whichever of its events comes first, and at once', async () => {
    for (const isAtOnce of [false, true]) {
      const table = await createShop();
      await followRelease({ table, now }, stepOf('started'));
      const late = ['rolled-back', 'promoted'] as const;
      if (isAtOnce) await Promise.all(late.toReversed().map((kind) => followRelease({ table, now }, stepOf(kind))));
      else for (const kind of late) await followRelease({ table, now }, stepOf(kind));
      expect(await activeBase(table)).toBe(1);
    }
  });

  it('is no matter of an application that has none', async () => {
    const table = createMemoryTable();
    for (const kind of ['started', 'promoted', 'rolled-back'] as const) {
      expect(await followRelease({ table, now }, stepOf(kind))).toBeUndefined();
    }
  });

  it('comes to the same when every step comes twice and one call fails', async () => {
    for (const fault of FAULTS) {
      for (let number = 1; number <= 12; number++) {
        const table = await createShop();
        const broken = faulty({ table }, faultAt(number, fault));
        for (const kind of ['started', 'promoted'] as const) {
          await followRelease({ table: broken.ports.table, now }, stepOf(kind)).catch(() => undefined);
        }
        await broken.settle();
        for (const kind of ['started', 'promoted', 'promoted'] as const) await followRelease({ table, now }, stepOf(kind));
        expect(await readActive(table, place), `${fault} at ${number}`).toMatchObject({ base: 2, revision: 2 });
        for (const kind of ['rolled-back', 'rolled-back'] as const) await followRelease({ table, now }, stepOf(kind));
        expect(await readActive(table, place), `${fault} at ${number}`).toMatchObject({ base: 1, revision: 3 });
      }
    }
  });
});
