import type { ApiContext } from '#api/api-env.ts';
import { isOpsError, OpsError } from '#core/errors.ts';
import type { FlagDefinition } from '#flags/flag-definition.ts';
import { readFlagSet } from '#flags/flag-set.ts';
import { type ChangeDeps, changeFlag } from '#flags/store/change-flag.ts';
import { planPut } from '#flags/store/plan-change.ts';
import { translateUnleash } from '#flags/unleash/translate.ts';
import type { FlagDomains } from './flag-domains.ts';
import { assertRoom, readJsonBody, readSaid } from './flag-requests.ts';

const MAX_BYTES = 4 * 1024 * 1024;
const MAX_FLAGS = 2_000;

interface Imported {
  readonly key: string;
  readonly result: 'created' | 'changed' | 'unchanged' | 'refused';
  readonly message?: string | undefined;
}

/** Takes flags of another system's form, one by one: what is refused keeps no other from being taken. With `dryRun=true` it only says what they come to. */
export async function importFlags(domains: FlagDomains, deps: ChangeDeps, c: ApiContext): Promise<object> {
  const { flags, notes } = readImport(c.req.query('format'), await readJsonBody(c, MAX_BYTES));
  if (flags.size > MAX_FLAGS) throw new OpsError('limit', `${flags.size} flags are more than the ${MAX_FLAGS} of one import`);
  if (c.req.query('dryRun') === 'true') return { flags: Object.fromEntries(flags), notes };
  const said = readSaid(c, { reason: c.req.query('reason') ?? `imported from ${c.req.query('format')}` });
  const view = await domains.readFlags(c.get('tenant'));
  assertRoom(view, flags.keys());
  const imported: Imported[] = [];
  for (const [key, definition] of flags) {
    const input = { tenant: c.get('tenant'), key, ...said };
    try {
      const before = view.flags.get(key)?.version ?? 0;
      const { record } = await changeFlag(deps, input, (current) => planPut(current, definition, 'any', false));
      const result = record?.version === before ? 'unchanged' : before === 0 ? 'created' : 'changed';
      imported.push({ key, result });
    } catch (error) {
      if (!isOpsError(error) || error.kind === 'unavailable') throw error;
      imported.push({ key, result: 'refused', message: error.message });
    }
  }
  return { imported, notes };
}

function readImport(format: string | undefined, body: unknown): { flags: ReadonlyMap<string, FlagDefinition>; notes: readonly string[] } {
  if (format === 'unleash') return translateUnleash(body);
  if (format !== 'flagd') throw new OpsError('input', `format takes unleash or flagd; got ${JSON.stringify(format?.slice(0, 60))}`);
  const { $evaluators } = body as { $evaluators?: FlagDefinition['$evaluators'] };
  const flags = [...readFlagSet(body).flags].map(([key, { definition }]) => {
    return [key, $evaluators && definition.targeting ? { ...definition, $evaluators } : definition] as const;
  });
  return { flags: new Map(flags), notes: [] };
}
