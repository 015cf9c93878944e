import type { Statement } from './policies.ts';

/** What somebody wants to do. */
export interface Attempt {
  readonly action: string;
  /** ARN. */
  readonly resource: string;
  /** Keys of the request that conditions ask for. */
  readonly context: Readonly<Record<string, readonly string[]>>;
}

/** IAM's answer for one role: something allows it and nothing denies it. Knows the conditions that our policies use, and no others. */
export function allows(statements: readonly Statement[], attempt: Attempt): boolean {
  const matching = statements.filter((statement) => applies(statement, attempt));
  return matching.some(({ effect }) => effect === 'Allow') && !matching.some(({ effect }) => effect === 'Deny');
}

function applies({ actions, resources, condition }: Statement, { action, resource, context }: Attempt): boolean {
  if (!actions.includes(action) || !resources.some((pattern) => isLike(resource, pattern))) return false;
  return Object.entries(condition).every(([test, keys]) =>
    Object.entries(keys).every(([key, values]) => {
      const given = context[key] ?? [];
      const wanted = [values].flat() as string[];
      if (test === 'StringLike') return given.some((value) => wanted.some((pattern) => isLike(value, pattern)));
      if (test === 'ForAnyValue:StringEquals') return given.some((value) => wanted.includes(value));
      if (test === 'ForAllValues:StringLike') return given.every((value) => wanted.some((pattern) => isLike(value, pattern)));
      if (test === 'Null') return wanted.includes(String(given.length === 0));
      throw new Error(`allows.ts does not know the condition ${test}`);
    }),
  );
}

function isLike(text: string, pattern: string): boolean {
  const parts = pattern.split('*').map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`, 's').test(text);
}
