import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { OpsError } from '#core/errors.ts';
import type { Changes, Condition } from '#ports/table.ts';
import { marshalValue } from './marshal.ts';

/** Placeholders of one request; the same name or value is never spelled out in an expression. */
interface Placeholders {
  readonly names: Record<string, string>;
  readonly values: Record<string, AttributeValue>;
}

/** What a write request carries beside key and item. */
export interface WriteExpressions {
  ConditionExpression?: string;
  UpdateExpression?: string;
  ExpressionAttributeNames?: Record<string, string>;
  ExpressionAttributeValues?: Record<string, AttributeValue>;
}

/** The condition and changes of a write in DynamoDB's expression language, with names and values as placeholders. */
export function writeExpressions(condition: Condition | undefined, changes?: Changes): WriteExpressions {
  const placeholders: Placeholders = { names: {}, values: {} };
  const expressions: WriteExpressions = {};
  const conditionText = condition === undefined ? '' : conditionExpression(condition, placeholders);
  const updateText = changes === undefined ? '' : updateExpression(changes, placeholders);
  if (conditionText !== '') expressions.ConditionExpression = conditionText;
  if (updateText !== '') expressions.UpdateExpression = updateText;
  if (Object.keys(placeholders.names).length > 0) expressions.ExpressionAttributeNames = placeholders.names;
  if (Object.keys(placeholders.values).length > 0) expressions.ExpressionAttributeValues = placeholders.values;
  return expressions;
}

function conditionExpression(condition: Condition, to: Placeholders): string {
  const clauses: string[] = [];
  if (condition.exists !== undefined) clauses.push(`attribute_${condition.exists ? '' : 'not_'}exists(${nameHolder('pk', to)})`);
  for (const [name, value] of Object.entries(condition.equals ?? {})) {
    clauses.push(
      value === null ? `attribute_not_exists(${nameHolder(name, to)})` : `${nameHolder(name, to)} = ${valueHolder(value, name, to)}`,
    );
  }
  for (const [name, value] of Object.entries(condition.atMost ?? {}))
    clauses.push(`${nameHolder(name, to)} <= ${valueHolder(value, name, to)}`);
  for (const [name, value] of Object.entries(condition.atLeast ?? {}))
    clauses.push(`${nameHolder(name, to)} >= ${valueHolder(value, name, to)}`);
  return clauses.join(' AND ');
}

function updateExpression(changes: Changes, to: Placeholders): string {
  const seen = new Set<string>(['pk', 'sk']);
  const once = (name: string) => {
    if (seen.has(name)) throw new OpsError('input', `an update cannot change "${name}": it is part of the key, or changed twice`);
    seen.add(name);
    return nameHolder(name, to);
  };
  const sets = Object.entries(changes.set ?? {}).map(([name, value]) => `${once(name)} = ${valueHolder(value, name, to)}`);
  const adds = Object.entries(changes.add ?? {}).map(([name, value]) => `${once(name)} ${valueHolder(value, name, to)}`);
  const removes = (changes.remove ?? []).map(once);
  const clause = (verb: string, parts: readonly string[]) => (parts.length === 0 ? [] : [`${verb} ${parts.join(', ')}`]);
  return [...clause('SET', sets), ...clause('ADD', adds), ...clause('REMOVE', removes)].join(' ');
}

function nameHolder(name: string, to: Placeholders): string {
  const known = Object.keys(to.names).find((placeholder) => to.names[placeholder] === name);
  if (known !== undefined) return known;
  const placeholder = `#n${Object.keys(to.names).length}`;
  to.names[placeholder] = name;
  return placeholder;
}

function valueHolder(value: Parameters<typeof marshalValue>[0], name: string, to: Placeholders): string {
  const placeholder = `:v${Object.keys(to.values).length}`;
  to.values[placeholder] = marshalValue(value, name);
  return placeholder;
}
