import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { OpsError } from '#core/errors.ts';
import type { BusEvent } from '#ports/bus.ts';
import type { Cluster, Incident, IncidentState, Member } from './incident.ts';
import type { Learned } from './learned.ts';

/** What is decided and not yet written, since one transaction takes only so much. */
export type Pending = { readonly event: BusEvent } | { readonly closed: ClosedIncident };

/** An incident that is over, with those of its alerts that are kept. */
export interface ClosedIncident {
  readonly incident: Incident;
  readonly members: readonly Member[];
}

/** A tenant's incidents as they are stored. */
export interface IncidentBook {
  readonly state: IncidentState;
  readonly pending: readonly Pending[];
}

const VERSION = 1;
const MAX_BYTES = 1024 * 1024 * 1024;

function pack(value: unknown): Uint8Array {
  return zstdCompressSync(JSON.stringify(value), {
    params: { [constants.ZSTD_c_compressionLevel]: 3, [constants.ZSTD_c_checksumFlag]: 1 },
  });
}

/** `unavailable` for bytes that `pack` did not write. */
function unpack<T extends { readonly v: number }>(bytes: Uint8Array, what: string): T {
  let read: T;
  try {
    read = JSON.parse(zstdDecompressSync(bytes, { maxOutputLength: MAX_BYTES }).toString('utf8'));
  } catch (cause) {
    throw new OpsError('unavailable', `${what} is damaged`, { cause });
  }
  if (read.v !== VERSION) throw new OpsError('unavailable', `${what} has version ${read.v}, not ${VERSION}`);
  return read;
}

/** The bytes of a tenant's incidents: zstd of JSON. */
export function encodeIncidents({ state: { alerts, clusters, learned }, pending }: IncidentBook): Uint8Array {
  return pack({ v: VERSION, alerts: [...alerts.values()], clusters, learned, pending });
}

/** What `encodeIncidents` packed; `unavailable` for anything else. */
export function decodeIncidents(bytes: Uint8Array): IncidentBook {
  const read = unpack<{ v: number; alerts: Member[]; clusters: Cluster[]; learned: Learned; pending: Pending[] }>(
    bytes,
    'the incident book',
  );
  const alerts = new Map(read.alerts.map((member) => [member.fingerprint, member]));
  return { state: { alerts, clusters: read.clusters, learned: read.learned }, pending: read.pending };
}

/** The bytes of an incident that is over. */
export function encodeClosed(closed: ClosedIncident): Uint8Array {
  return pack({ v: VERSION, ...closed });
}

/** What `encodeClosed` packed; `unavailable` for anything else. */
export function decodeClosed(bytes: Uint8Array): ClosedIncident {
  const { incident, members } = unpack<ClosedIncident & { v: number }>(bytes, 'an incident');
  return { incident, members };
}
