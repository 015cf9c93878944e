import { OpsError } from '#core/errors.ts';

/** The version of the format that this code writes, and the newest that it reads. */
export const FORMAT_VERSION = 1;
export const OBJECT_MAGIC: Buffer = Buffer.from('QDO');
export const PACK_MAGIC: Buffer = Buffer.from('QDP');

/** `conflict` for what a newer Quarterdeck wrote; `input` for a version that never was. */
export function refuseNewer(name: string, version: number): void {
  if (version === FORMAT_VERSION) return;
  if (version < 1) throw new OpsError('input', `${name} is damaged: there is no version ${version}`, { hint: 'Run check, then repair.' });
  throw new OpsError('conflict', `${name} has version ${version} of the format, and this program knows ${FORMAT_VERSION}`, {
    hint: 'Use the newer Quarterdeck that wrote it; if there is none, the object is damaged: run check.',
  });
}
