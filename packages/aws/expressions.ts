import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { assertChanges, assertCondition } from '#ports/item-rules.ts';
import type { Attribute, Changes, Condition } from '#ports/table.ts';
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
  assertCondition(condition);
  if (changes !== undefined) assertChanges(changes);
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
    clauses.push(value === null ? `attribute_not_exists(${nameHolder(name, to)})` : `${nameHolder(name, to)} = ${valueHolder(value, to)}`);
  }
  for (const [name, value] of Object.entries(condition.atMost ?? {})) clauses.push(`${nameHolder(name, to)} <= ${valueHolder(value, to)}`);
  for (const [name, value] of Object.entries(condition.atLeast ?? {})) clauses.push(`${nameHolder(name, to)} >= ${valueHolder(value, to)}`);
  return clauses.join(' AND ');
}

function updateExpression(changes: Changes, to: Placeholders): string {
  const sets = Object.entries(changes.set ?? {}).map(([name, value]) => `${nameHolder(name, to)} = ${valueHolder(value, to)}`);
  const adds = Object.entries(changes.add ?? {}).map(([name, value]) => `${nameHolder(name, to)} ${valueHolder(value, to)}`);
  const removes = (changes.remove ?? []).map((name) => nameHolder(name, to));
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

function valueHolder(value: Attribute, to: Placeholders): string {
  const placeholder = `:v${Object.keys(to.values).length}`;
  to.values[placeholder] = marshalValue(value);
  return placeholder;
}
