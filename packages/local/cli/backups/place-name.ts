import { resolve } from 'node:path';
import { parsePlace } from '#backups/places/place.ts';

/** A place's name as snapshots keep it: that of a folder is the same wherever the command is run from, so that two folders are never one series. */
export function placeName(name: string): string {
  const place = parsePlace(name);
  return place.type === 'folder' ? resolve(place.path) : name;
}
