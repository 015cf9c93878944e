import { createHash } from 'node:crypto';
import * as z from 'zod';
import { isOpsError, OpsError } from '#core/errors.ts';
import { strictFields } from '#model/strict-fields.ts';
import type { BackupSource, SourceItem } from '#ports/backup-source.ts';

const path = z.string().min(1).max(4_096);

/** What an application expects of its data once it has been restored. */
export const DrillCheck = z.union(
  [
    /** So many things of a kind at least: files, objects, items of a table. */
    strictFields({ atLeast: z.int().min(0), kind: z.string().max(100).optional() }),
    /** One thing's content: its SHA-256 in hexadecimal, or text that is in it. At most 16 MiB are read for text. */
    strictFields({
      path,
      sha256: z
        .string()
        .regex(/^[0-9a-f]{64}$/, 'takes 64 hexadecimal digits')
        .optional(),
      contains: z.string().max(1_000).optional(),
    }),
    /** An expression over the samples of a Quarterdeck that was restored, as of its snapshot: it has to give something, or this value. */
    strictFields({ query: z.string().min(1).max(10_000), equals: z.number().optional(), tenant: z.string().max(200).default('default') }),
    /** Somebody else's check: a POST with where the data is now; `{"ok": true}` is yes. */
    strictFields({
      webhook: z.url({ protocol: /^https?$/, error: 'takes an http or https URL' }),
      timeoutMs: z.int().min(100).max(60_000).default(30_000),
    }),
  ],
  { error: 'takes atLeast, path with sha256 or contains, query, or webhook' },
);
export type DrillCheck = z.infer<typeof DrillCheck>;

/** What a check came to. */
export interface CheckResult {
  readonly check: string;
  readonly ok: boolean;
  readonly sentence: string;
}

export interface CheckDeps {
  /** The restored data, read back; opened anew for each check that walks it. */
  readonly open: () => Promise<BackupSource>;
  /** Items of tables that were restored, which the comparison has counted. */
  readonly lines: number;
  /** Asks the restored Quarterdeck; undefined where what was restored is none. */
  readonly query?: ((tenant: string, expr: string) => Promise<readonly number[]>) | undefined;
  /** Asks a webhook. */
  readonly ask: (url: string, timeoutMs: number) => Promise<{ readonly ok: boolean; readonly sentence: string }>;
}

const MAX_TEXT_BYTES = 16 << 20;

/** Runs the checks in order. One that cannot be run has failed; `unavailable` comes through, to be tried again. */
export async function runChecks(deps: CheckDeps, checks: readonly DrillCheck[]): Promise<CheckResult[]> {
  const results: CheckResult[] = [];
  for (const check of checks) {
    const name = nameOf(check);
    try {
      const { ok, sentence } = await runCheck(deps, check);
      results.push({ check: name, ok, sentence });
    } catch (error) {
      if (!isOpsError(error) || error.kind === 'unavailable') throw error;
      results.push({ check: name, ok: false, sentence: error.message });
    }
  }
  return results;
}

function nameOf(check: DrillCheck): string {
  if ('atLeast' in check) return `at least ${check.atLeast}${check.kind === undefined ? '' : ` of kind ${check.kind}`}`;
  if ('path' in check) return `content of ${check.path}`;
  return 'query' in check ? `query ${check.query}` : `webhook ${new URL(check.webhook).host}`;
}

async function runCheck(deps: CheckDeps, check: DrillCheck): Promise<{ ok: boolean; sentence: string }> {
  if ('atLeast' in check) return checkCount(deps, check);
  if ('path' in check) return checkContent(deps, check);
  if ('query' in check) return checkQuery(deps, check);
  return deps.ask(check.webhook, check.timeoutMs);
}

async function checkCount(deps: CheckDeps, { atLeast, kind }: { atLeast: number; kind?: string | undefined }) {
  if (kind === 'items') return { ok: deps.lines >= atLeast, sentence: `there are ${deps.lines}` };
  const counts = await countKinds(deps);
  const all = [...counts.values()].reduce((sum, count) => sum + count, 0);
  const count = kind === undefined ? all : (counts.get(kind) ?? 0);
  const others = [...counts].map(([name, number]) => `${number} ${name}`).join(', ');
  return { ok: count >= atLeast, sentence: count === 0 && all > 0 ? `there are 0, of other kinds ${others}` : `there are ${count}` };
}

async function countKinds({ open }: CheckDeps): Promise<ReadonlyMap<string, number>> {
  const counts = new Map<string, number>();
  await eachItem(open, ({ kind }) => {
    counts.set(kind, (counts.get(kind) ?? 0) + 1);
    return false;
  });
  return counts;
}

async function checkContent({ open }: CheckDeps, check: { path: string; sha256?: string | undefined; contains?: string | undefined }) {
  let sentence = 'it is not there';
  let ok = false;
  await eachItem(open, async (item) => {
    if (item.path !== check.path) return false;
    const { sha256, text } = await readItem(item, check.contains !== undefined);
    if (check.sha256 !== undefined && sha256 !== check.sha256) sentence = `its SHA-256 is ${sha256}`;
    else if (check.contains !== undefined && !text.includes(check.contains)) sentence = 'it does not contain the text';
    else [ok, sentence] = [true, 'it is as expected'];
    return true;
  });
  return { ok, sentence };
}

async function readItem(item: SourceItem, isText: boolean): Promise<{ sha256: string; text: string }> {
  const hash = createHash('sha256');
  const pieces: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const piece of item.open?.(0) ?? []) {
    hash.update(piece);
    sizeBytes += piece.length;
    if (isText && sizeBytes <= MAX_TEXT_BYTES) pieces.push(piece);
  }
  return { sha256: hash.digest('hex'), text: Buffer.concat(pieces).toString() };
}

async function eachItem(open: () => Promise<BackupSource>, visit: (item: SourceItem) => boolean | Promise<boolean>): Promise<void> {
  const source = await open();
  try {
    for await (const item of source.list({ onFault() {} })) if (await visit(item)) return;
  } finally {
    await source.close();
  }
}

async function checkQuery({ query }: CheckDeps, check: { query: string; equals?: number | undefined; tenant: string }) {
  if (!query) throw new OpsError('input', 'what was restored is no Quarterdeck, and cannot be queried');
  const values = await query(check.tenant, check.query);
  if (values.length === 0) return { ok: false, sentence: 'it gives nothing' };
  const ok = check.equals === undefined || values.every((value) => value === check.equals);
  return { ok, sentence: `it gives ${values.slice(0, 5).join(', ')}${values.length > 5 ? ', ...' : ''}` };
}
