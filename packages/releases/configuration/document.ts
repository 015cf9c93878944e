import * as z from 'zod';

/** The layer that every environment of an application rests on. */
export const BASE = 'base';

/** `secretsmanager:NAME`, `secretsmanager:NAME#KEY` (a field of a JSON secret), `ssm:/PATH`. */
const SecretReference = z
  .string()
  .max(2_100)
  .regex(
    /^(?:secretsmanager:[\w/+=.@:-]{1,2048}(?:#[\w.-]{1,200})?|ssm:\/[\w./-]{1,2010})$/,
    'takes secretsmanager:NAME, secretsmanager:NAME#KEY or ssm:/PATH: where the secret is kept, never its value',
  );

/** What a name stands for: text, where a secret is kept, or (null) nothing, though the layer below says something. */
const Value = z.union(
  [z.string().max(32_768), z.strictObject({ secret: SecretReference }), z.null()],
  'takes text, {"secret": "secretsmanager:NAME"} or {"secret": "ssm:/PATH"}, or null for nothing',
);
export type Value = z.infer<typeof Value>;

/** What the text of a variable has to be, once all layers are laid over one another. */
const Expectation = z.strictObject({
  /** It must be there. */
  required: z.boolean().optional(),
  /** It must be a reference to a secret. */
  secret: z.boolean().optional(),
  type: z.enum(['text', 'integer', 'number', 'boolean', 'url']).optional(),
  oneOf: z.array(z.string().max(1_000)).min(1).max(100).optional(),
  min: z.number().optional(),
  max: z.number().optional(),
});
export type Expectation = z.infer<typeof Expectation>;

const VariableName = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,254}$/, 'takes a name of letters, digits and _, no digit first');
const FilePath = z
  .string()
  .regex(/^[\w./-]{1,500}$/, 'takes a path of letters, digits and ._-/')
  .refine((path) => !path.split('/').some((part) => part === '..' || part === '.'), 'must not have . or .. in it');

/** One layer of an application's configuration: environment variables, files, what is expected of the variables, and what runs with them. */
export const ConfigDocument = z.strictObject({
  env: z.record(VariableName, Value).default({}),
  /** By path; text or a reference to a secret that is the file. */
  files: z.record(FilePath, Value).default({}),
  expect: z.record(VariableName, Expectation).default({}),
  /** Lambda functions that run with these variables, by name or ARN: what they are really set to is compared. */
  functions: z
    .array(z.string().regex(/^[\w:$-]{1,170}$/, 'takes the name or ARN of a function'))
    .max(50)
    .default([]),
});
export type ConfigDocument = z.infer<typeof ConfigDocument>;

export const EMPTY_DOCUMENT: ConfigDocument = { env: {}, files: {}, expect: {}, functions: [] };

/** The same for documents that say the same, whatever the order of their fields. */
export function canonicalText({ env, files, expect, functions }: ConfigDocument): string {
  const sorted = <T>(fields: Readonly<Record<string, T>>) => Object.entries(fields).sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([sorted(env), sorted(files), sorted(expect).map(([name, rule]) => [name, sorted(rule)]), functions]);
}
