import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { BackupsFile } from '#backups/jobs/backups-file.ts';
import { BackupKind } from '#backups/repository/snapshots.ts';
import { readSettings } from '#config/settings.ts';
import { usEast1 } from '#model/prices.ts';

const folder = resolve(import.meta.dirname, '../../docs/backup');
const strategy = readFileSync(resolve(folder, 'strategy.md'), 'utf8');
const recovery = readFileSync(resolve(folder, 'recovery.md'), 'utf8');

describe('docs/backup/strategy.md', () => {
  it('shows a backups.yaml that is taken', () => {
    const [, text = ''] = /```yaml\n([^`]*)```/.exec(strategy) ?? [];
    const file = BackupsFile.parse(parse(text));
    expect([Object.keys(file.repositories), file.backups.length, file.drills.length]).toEqual([['main', 'vault'], 2, 1]);
  });

  it('shows retentions that are taken', () => {
    const shown = [...strategy.matchAll(/`(\{ (?:last|hourly|daily|within)[^`]*\})`/g)].map(([, text]) => parse(text as string));
    expect(shown.length).toBeGreaterThan(3);
    const repositories = { main: { at: '/r' } };
    for (const retention of shown) {
      const backups = [{ name: 'x', source: '/x', repository: 'main', schedule: 'rate(1 hour)', retention }];
      expect(BackupsFile.safeParse({ repositories, backups }).error).toBeUndefined();
    }
  });

  it('names every kind, and prices as they are', () => {
    for (const kind of BackupKind.options) expect(strategy).toContain(`\`${kind}\``);
    const dollars = [64 * usEast1.blobPut.standard, 128 * usEast1.blobGet.standard, 250_000 * usEast1.readUnit];
    expect(dollars.map((each) => Number(each.toPrecision(1)))).toEqual([0.0003, 0.00005, 0.03]);
    expect(strategy).toContain(`${usEast1.blobGbMonth.standard}; \`GLACIER_IR\` ${usEast1.blobGbMonth['archive-instant']}`);
  });

  it('names settings that there are, as the runbook does', () => {
    const names = new Set(
      [...strategy.matchAll(/QUARTERDECK_[A-Z_]+[A-Z]/g), ...recovery.matchAll(/QUARTERDECK_[A-Z_]+[A-Z]/g)].map(([name]) => name),
    );
    const unknown = [...names].filter((name) => !throwsFor(name) && name !== 'QUARTERDECK_BACKUP_PASSPHRASE_TO');
    expect(unknown).toEqual([]);
  });
});

/** Every setting refuses this value, so that one that does not is no setting. */
function throwsFor(name: string): boolean {
  try {
    readSettings({ [name]: '\0' });
    return false;
  } catch {
    return true;
  }
}
