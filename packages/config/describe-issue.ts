import type * as z from 'zod';

export interface DescribedIssue {
  readonly path: readonly PropertyKey[];
  readonly message: string;
  readonly atKey: boolean;
}

/** A zod issue in our words: what was wrong and what is accepted; one entry for each unknown field. Needs `reportInput`. */
export function describeIssue(issue: z.core.$ZodIssue): DescribedIssue[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({ path: [...issue.path, key], message: issue.message, atKey: true }));
  }
  return [{ path: issue.path, message: wordIssue(issue), atKey: issue.code === 'invalid_key' }];
}

function wordIssue(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      if (issue.input === undefined) return `is missing; it takes ${nameType(issue.expected)}`;
      if (!issue.message.startsWith('Invalid input')) return issue.message;
      return `takes ${nameType(issue.expected)}; got ${describeValue(issue.input)}${needsQuotes(issue) ? ' (put it in quotes)' : ''}`;
    case 'invalid_value': {
      const accepted = issue.values.map((value) => String(value)).join(', ');
      return issue.input === undefined ? `is missing; accepted: ${accepted}` : `accepted: ${accepted}; got ${describeValue(issue.input)}`;
    }
    case 'too_small':
      return `must ${measure(issue.origin, `${issue.inclusive ? 'at least' : 'more than'} ${issue.minimum}`)}; got ${describeSize(issue.input)}`;
    case 'too_big':
      return `must ${measure(issue.origin, `${issue.inclusive ? 'at most' : 'less than'} ${issue.maximum}`)}; got ${describeSize(issue.input)}`;
    case 'invalid_key':
      return issue.issues[0]?.message ?? issue.message;
    default:
      return issue.message;
  }
}

function needsQuotes({ expected, input }: z.core.$ZodIssueInvalidType): boolean {
  return expected === 'string' && (typeof input === 'number' || typeof input === 'boolean');
}

function measure(origin: string, bound: string): string {
  if (origin === 'string') return `have ${bound} characters`;
  if (origin === 'array' || origin === 'set' || origin === 'map') return `have ${bound} entries`;
  return `be ${bound}`;
}

function describeSize(value: unknown): string {
  if (Array.isArray(value)) return `${value.length}`;
  return typeof value === 'string' ? `${value.length}` : describeValue(value);
}

function nameType(expected: string): string {
  const names: Readonly<Record<string, string>> = {
    string: 'text',
    number: 'a number',
    int: 'a whole number',
    boolean: 'true or false',
    array: 'a list',
    object: 'a mapping',
    record: 'a mapping',
  };
  return names[expected] ?? expected;
}

/** A value as a message shows it: short, and never a whole structure. */
export function describeValue(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'an empty value';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a mapping';
  if (typeof value !== 'string') return `the ${typeof value} ${String(value)}`;
  return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}...` : value);
}
