import type * as z from 'zod';
import { OpsError } from '#core/errors.ts';
import { CiReport } from '#model/ci-report.ts';

/** What became of a payload: a report, or the reason why it says nothing here. */
export type ReadEvent =
  | {
      readonly kind: 'report';
      readonly report: Omit<CiReport, 'provider' | 'delivery'>;
      /** See Delivery. */
      readonly subject?: string | undefined;
      /** A rule that asks again gets another answer: deliveries that are the same byte for byte are told apart by their time. */
      readonly canRepeat?: boolean | undefined;
      /** What the sender should know all the same. */
      readonly note?: string | undefined;
    }
  | { readonly kind: 'ignored'; readonly reason: string };

/** A payload that says nothing here, and why. */
export function ignored(reason: string): ReadEvent {
  return { kind: 'ignored', reason };
}

type CheckKind = NonNullable<CiReport['check']>['kind'];

const kindWords: readonly (readonly [CheckKind, RegExp])[] = [
  ['smoke', /smoke|sanity/],
  ['security', /security|codeql|sast|dast|trivy|snyk|semgrep|vulnerab|dependency.review|secret.(scan|detect)/],
  ['performance', /perf|load.?test|bench|k6|gatling|jmeter/],
  ['integration', /integration|e2e|end.to.end|acceptance|system.?test|contract/],
  ['build', /build|compile|package|docker|image|^ci$/],
];

/** What kind of check its names speak of, the first that does; `other` where none does. */
export function kindOfCheck(...names: readonly (string | null | undefined)[]): CheckKind {
  for (const name of names) {
    const found = kindWords.find(([, words]) => words.test((name ?? '').toLowerCase()));
    if (found) return found[0];
  }
  return 'other';
}

/** ISO time in UTC of a text, or of seconds since 1970; undefined for what is neither. */
export function isoTime(value: string | number | null | undefined): string | undefined {
  if (value === null || value === undefined || value === '') return undefined;
  const date = new Date(typeof value === 'number' ? value * 1_000 : value);
  return Number.isNaN(date.getTime()) || date.getUTCFullYear() > 9_999 || date.getUTCFullYear() < 1 ? undefined : date.toISOString();
}

/** Branch or tag without `refs/heads/` or `refs/tags/`. */
export function shortRef(ref: string): string {
  return ref.replace(/^refs\/(heads|tags)\//, '');
}

/** The commit of a ref that is no more. */
export function isZeroCommit(commit: string): boolean {
  return /^0+$/.test(commit);
}

/** An http address as it is shown and linked; undefined for anything else, and for what is too long. */
export function linkOf(text: string | null | undefined): string | undefined {
  return text && text.length <= 2_000 && /^https?:$/.test(URL.parse(text)?.protocol ?? '') ? text : undefined;
}

/** In at most so many UTF-16 units, whole characters, with a sign where it was cut. */
export function cut(text: string, max: number): string {
  const plain = text.toWellFormed();
  if (plain.length <= max) return plain;
  return `${plain.slice(0, max - 1).replace(/[\ud800-\udbff]$/, '')}…`;
}

/** The report, bounded: `input` names the field that is too long for it. */
export function boundReport(report: CiReport): CiReport {
  const parsed = CiReport.safeParse(wellFormed(report));
  if (parsed.success) return parsed.data;
  throw new OpsError('input', `the payload cannot be taken: ${describe(parsed.error)}`);
}

/** A payload as its schema has it. `input` names what is missing or of another type. */
export function readPayload<T extends z.ZodType>(schema: T, payload: unknown): z.infer<T> {
  const parsed = schema.safeParse(payload);
  if (parsed.success) return parsed.data;
  throw new OpsError('input', `the payload is not as it is documented: ${describe(parsed.error)}`);
}

/** Never quotes what was sent. */
function describe({ issues }: z.ZodError): string {
  return issues
    .slice(0, 5)
    .map(({ path, message }) => (path.length > 0 ? `${path.join('.')}: ${message}` : message))
    .join('; ');
}

/** JSON can escape half of a surrogate pair, which neither the table nor other systems take. */
function wellFormed<T>(value: T): T {
  if (typeof value === 'string') return value.toWellFormed() as T;
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, wellFormed(each)])) as T;
}
