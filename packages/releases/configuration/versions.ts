import { isOpsError, OpsError } from '#core/errors.ts';
import { retry } from '#core/retry.ts';
import type { Clock } from '#core/time.ts';
import { queryItems } from '#ports/query-items.ts';
import type { Item, Table } from '#ports/table.ts';
import { ConfigDocument, canonicalText, EMPTY_DOCUMENT } from './document.ts';
import { findSecrets } from './find-secrets.ts';

/** A layer's document as it was written once; never changed after. */
export interface ConfigVersion {
  readonly layer: string;
  /** From 1; 0 is the empty document that every layer begins with. */
  readonly version: number;
  readonly document: ConfigDocument;
  readonly by: string;
  readonly message: string;
  readonly atMs: number;
}

export interface ConfigPlace {
  readonly tenant: string;
  readonly application: string;
}

/** An item of the table holds 400 KB. */
const MAX_BYTES = 300_000;
const MAX_LAYERS = 100;
const DIGITS = 10;

/** The partition of what is kept of an application's configuration. */
export function configPartition({ tenant, application }: ConfigPlace): string {
  return `releases/configuration/${tenant}/${application}`;
}

/** The latest version of every layer. */
export async function listLayers(table: Table, place: ConfigPlace): Promise<Map<string, number>> {
  const layers = new Map<string, number>();
  for (const item of await queryItems(table, { pk: configPartition(place), from: 'layer/', to: 'layer0' })) {
    layers.set(item.sk.slice('layer/'.length), Number(item.latest));
  }
  return layers;
}

/** A version of a layer, by default the latest. `missing` where there is none of that number. */
export async function readVersion(table: Table, place: ConfigPlace, layer: string, version?: number): Promise<ConfigVersion> {
  const wanted = version ?? (await readLatest(table, place, layer));
  if (wanted === 0) return { layer, version: 0, document: EMPTY_DOCUMENT, by: '', message: '', atMs: 0 };
  const item = await retry(() => table.get({ pk: configPartition(place), sk: versionKey(layer, wanted) }));
  if (!item) throw new OpsError('missing', `layer ${layer} of ${place.application} has no version ${wanted}`);
  return toVersion(item);
}

/** Versions of a layer, the newest first, at most `limit`. */
export async function listVersions(table: Table, place: ConfigPlace, layer: string, limit: number): Promise<ConfigVersion[]> {
  const from = `version/${layer}/`;
  const page = await retry(() => table.query({ pk: configPartition(place), from, to: `version/${layer}0`, reverse: true, limit }));
  return page.items.map(toVersion);
}

export interface WriteVersionInput extends ConfigPlace {
  readonly layer: string;
  readonly document: ConfigDocument;
  readonly by: string;
  readonly message: string;
  /** The version that the writer started from. */
  readonly expected: number;
}

/**
 * Adds a version; nothing runs with it until it is activated. The document that is there already is not written again, so that a call may
 * be repeated. `input` for values of secrets, `limit` past 300 KB, `conflict` where somebody else wrote since `expected`.
 */
export async function writeVersion(deps: { readonly table: Table; readonly now: Clock }, input: WriteVersionInput): Promise<ConfigVersion> {
  checkDocument(input.document);
  const { layer, document, by, message, expected } = input;
  const latest = await readVersion(deps.table, input, layer);
  if (canonicalText(latest.document) === canonicalText(document)) return latest;
  if (latest.version !== expected) throw changedSince(input, latest.version);
  if (latest.version === 0 && (await listLayers(deps.table, input)).size >= MAX_LAYERS)
    throw new OpsError('limit', `${input.application} has ${MAX_LAYERS} layers, and no more are taken`);
  const next: ConfigVersion = { layer, version: expected + 1, document, by, message, atMs: deps.now() };
  const pk = configPartition(input);
  try {
    await retry(() =>
      deps.table.transact([
        { kind: 'put', item: toItem(pk, next), condition: { exists: false } },
        {
          kind: 'put',
          item: { pk, sk: `layer/${layer}`, latest: next.version },
          condition: expected === 0 ? { exists: false } : { equals: { latest: expected } },
        },
      ]),
    );
  } catch (error) {
    if (!isOpsError(error, 'conflict')) throw error;
    const now = await readVersion(deps.table, input, layer); // a write whose answer got lost meets itself
    if (canonicalText(now.document) !== canonicalText(document)) throw changedSince(input, now.version);
    return now;
  }
  return next;
}

function checkDocument(document: ConfigDocument): void {
  const secrets = findSecrets(document);
  if (secrets.length > 0) {
    throw new OpsError('input', secrets.slice(0, 20).join('\n'), {
      hint: 'Keep it in Secrets Manager or SSM and write {"secret": "secretsmanager:NAME"}; nothing was stored.',
    });
  }
  const sizeBytes = Buffer.byteLength(JSON.stringify(document));
  if (sizeBytes > MAX_BYTES) throw new OpsError('limit', `the document has ${sizeBytes} bytes; at most ${MAX_BYTES} are kept`);
}

function changedSince({ layer, expected }: WriteVersionInput, latest: number): OpsError {
  return new OpsError('conflict', `layer ${layer} is at version ${latest}, and the change was made to version ${expected}`, {
    hint: 'Read the latest version, make the change to that, and write it with expected set to its number.',
  });
}

async function readLatest(table: Table, place: ConfigPlace, layer: string): Promise<number> {
  return Number((await retry(() => table.get({ pk: configPartition(place), sk: `layer/${layer}` })))?.latest ?? 0);
}

function versionKey(layer: string, version: number): string {
  return `version/${layer}/${String(version).padStart(DIGITS, '0')}`;
}

function toItem(pk: string, { layer, version, document, by, message, atMs }: ConfigVersion): Item {
  return { pk, sk: versionKey(layer, version), layer, version, document: JSON.stringify(document), by, message, atMs };
}

function toVersion({ layer, version, document, by, message, atMs }: Item): ConfigVersion {
  return {
    layer: String(layer),
    version: Number(version),
    document: ConfigDocument.parse(JSON.parse(String(document))),
    by: String(by),
    message: String(message),
    atMs: Number(atMs),
  };
}
