import * as z from 'zod';
import { isOpsError, OpsError } from '#core/errors.ts';
import { parseBoundedJson } from './bounded-json.ts';
import { type CompiledFlag, compileFlag } from './compile-flag.ts';
import { checkFlagKey, describeIssues, type FlagDefinition, type Metadata, Rule, readFlagDefinition } from './flag-definition.ts';
import { compileTargeting } from './logic/compile-targeting.ts';

const MAX_FLAGS = 10_000;

const MetadataOfSet = z.record(
  z.string(),
  z.union([z.string(), z.number(), z.boolean()], { error: 'takes text, a number, true or false' }),
);

/** A document of flagd's, before its flags are looked at. */
const Document = z.looseObject({
  flags: z.union([z.record(z.string(), z.unknown()), z.array(z.looseObject({ key: z.string() }))], {
    error: 'takes an object of flags by name, or a list of flags with their key',
  }),
  $evaluators: z.record(z.string().min(1), Rule).optional(),
  metadata: MetadataOfSet.and(z.object({ flagSetId: z.string().optional(), version: z.string().optional() })).optional(),
});

/** One flag of a set: as it was written, and compiled. */
export interface SetFlag {
  readonly definition: FlagDefinition;
  readonly compiled: CompiledFlag;
}

/** A flag set that was read: flags by name. */
export interface FlagSet {
  readonly flags: ReadonlyMap<string, SetFlag>;
  readonly metadata: Metadata | undefined;
}

/** Reads a flag set in flagd's form, `input` with a line for each thing that is wrong: `flags.banner.targeting.if[0]: ...`. */
export function parseFlagSet(text: string): FlagSet {
  return readFlagSet(parseBoundedJson(text));
}

/** Reads a flag set that is parsed already. */
export function readFlagSet(value: unknown): FlagSet {
  const parsed = Document.safeParse(value);
  if (!parsed.success) throw new OpsError('input', describeIssues(parsed.error, ''));
  const { $evaluators: evaluators = {}, metadata } = parsed.data;
  const problems: string[] = [];
  const attempt = (read: () => void) => {
    try {
      read();
    } catch (error) {
      if (!isOpsError(error)) throw error;
      problems.push(error.message);
    }
  };
  for (const [name, rule] of Object.entries(evaluators)) attempt(() => void compileTargeting(rule, evaluators, `$evaluators.${name}`));
  const flags = new Map<string, SetFlag>();
  for (const [key, raw] of entriesOf((value as { flags: object }).flags)) {
    attempt(() => {
      checkFlagKey(key);
      if (flags.has(key)) throw new OpsError('input', `flags.${key}: is there twice`);
      const definition = readFlagDefinition(raw, `flags.${key}`);
      flags.set(key, { definition, compiled: compileFlag(key, definition, { evaluators, metadata }) });
    });
  }
  if (flags.size > MAX_FLAGS) problems.push(`flags: has more than ${MAX_FLAGS} flags`);
  if (problems.length > 0) throw new OpsError('input', problems.join('\n'));
  return { flags, metadata };
}

function entriesOf(flags: object): [string, unknown][] {
  if (!Array.isArray(flags)) return Object.entries(flags);
  return flags.map((flag: { key: string }) => {
    const { key, ...definition } = flag;
    return [key, definition];
  });
}
