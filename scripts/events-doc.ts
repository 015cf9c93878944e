// Writes docs/events.md: node scripts/events-doc.ts
import { glob, readFile, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import * as z from 'zod';
import { subscriptions } from '#functions/subscriptions.ts';
import * as backupEvents from '#model/backup-events.ts';
import * as configurationEvents from '#model/configuration-events.ts';
import * as envelope from '#model/event-envelope.ts';
import * as events from '#model/events.ts';
import * as flagEvents from '#model/flag-events.ts';
import * as kubernetesEvents from '#model/kubernetes-events.ts';
import * as releaseEvents from '#model/release-events.ts';

const root = resolve(import.meta.dirname, '..');

/** Where the page is kept. */
export const eventsPage = resolve(root, 'docs', 'events.md');

const HEAD = `# Events

What happens is told on one bus: EventBridge on AWS, in the process when embedded. This page is made from the schemas of events in
packages/model and from functions/subscriptions.ts by \`node scripts/events-doc.ts\`.

Every event has a \`source\`, a \`detail-type\` and a \`detail\`. It is written to an outbox in the same transaction as the change that
it tells of, and sent from there at least once, in any order: whoever consumes it knows it again by \`detail.id\`. A delivery that fails
to the end is a dead letter, which is kept for two weeks and raises an alarm. Events that say so go by no outbox: they are hints
that save waiting for a schedule.
`;

/** The page as it should be. */
export async function renderEventsPage(): Promise<string> {
  const { names, comments } = await readSchemas();
  const sections = events.eventTypes.map(({ source, detailType, schema }) => {
    const name = names.get(schema) ?? '';
    const about = comments.get(name);
    if (about === undefined) throw new Error(`packages/model: ${detailType} has no exported schema with a comment above it`);
    return [`### ${detailType}`, `From \`${source}\`. ${about}`, fieldTable(schema, name, comments)].join('\n\n');
  });
  return `${[HEAD, '## Who listens', consumerTable(), '## What they carry', ...sections].join('\n\n').replace(/\n{3,}/g, '\n\n')}\n`;
}

/** What the schemas of packages/model/*event*.ts are called, and what is said above them and their fields. */
async function readSchemas() {
  const modules = [backupEvents, configurationEvents, envelope, events, flagEvents, kubernetesEvents, releaseEvents];
  const names = new Map(modules.flatMap((module) => Object.entries(module).map(([name, value]) => [value as unknown, name] as const)));
  const comments = new Map<string, string>();
  for await (const file of glob(resolve(root, 'packages/model/*event*.ts'))) {
    for (const [name, comment] of readComments(await readFile(file, 'utf8'))) comments.set(name, comment);
  }
  return { names, comments };
}

function consumerTable(): string {
  const ours = events.eventTypes.map(({ source, detailType }) => ({ source, detailType }));
  const foreign = subscriptions
    .flatMap(({ pattern }) => pattern.source.flatMap((source) => pattern['detail-type'].map((detailType) => ({ source, detailType }))))
    .filter(({ source }) => !source.startsWith('quarterdeck.'));
  const rows = [...ours, ...foreign].map(({ source, detailType }) => {
    const heard = subscriptions.filter(({ pattern }) => pattern.source.includes(source) && pattern['detail-type'].includes(detailType));
    return [detailType, code(source), heard.map(describeSubscription).join('<br>') || 'nobody here'];
  });
  return table(['event', 'producer', 'consumers'], rows);
}

function describeSubscription({ name, function: target, pattern }: (typeof subscriptions)[number]): string {
  const asked = Object.entries(pattern.detail ?? {}).map(([field, values]) => `${code(field)} is ${values.map(code).join(' or ')}`);
  return `${code(target)} (rule ${code(name)})${asked.length > 0 ? ` where ${asked.join(' and ')}` : ''}`;
}

interface Property {
  readonly type?: string;
  readonly format?: string;
  readonly enum?: readonly string[];
  readonly const?: unknown;
  readonly minimum?: number;
}

function fieldTable(schema: z.ZodType, name: string, comments: ReadonlyMap<string, string>): string {
  const { properties = {} } = z.toJSONSchema(schema) as { properties?: Record<string, Property> };
  const rows = Object.entries(properties).map(([field, property]) => [
    code(field),
    describeType(property),
    comments.get(`${name}.${field}`) ?? comments.get(`Envelope.${field}`) ?? '',
  ]);
  return table(['field', 'value', ''], rows);
}

function describeType({ type = '', format, enum: values, const: only, minimum }: Property): string {
  if (only !== undefined) return code(only);
  if (values) return values.map(code).join(', ');
  if (format !== undefined) return format;
  return minimum === 0 ? `${type}, 0 or more` : type;
}

function code(value: unknown): string {
  return `\`${value}\``;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

/** The one-line doc comments of a file of schemas: by the schema's name, and those inside by `Schema.field`. */
function readComments(source: string): Map<string, string> {
  const comments = new Map<string, string>();
  let comment: string | undefined;
  let schema = '';
  for (const line of source.split('\n')) {
    const [, text] = /^\s*\/\*\* (.*) \*\/$/.exec(line) ?? [];
    const [, declared] = /^(?:export )?const (\w+) = /.exec(line) ?? [];
    const [, field] = /^ {2}(\w+): /.exec(line) ?? [];
    if (declared !== undefined) schema = declared;
    const name = declared ?? (field && `${schema}.${field}`);
    if (comment !== undefined && name !== undefined) comments.set(name, comment);
    comment = text;
  }
  return comments;
}

if (import.meta.main) await writeFile(eventsPage, await renderEventsPage());
