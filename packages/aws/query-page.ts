import { QueryCommand } from '@aws-sdk/client-dynamodb';
import { compareUtf8 } from '#core/text.ts';
import { assertKeyPart, queryLimit } from '#ports/item-rules.ts';
import type { QueryInput, QueryPage } from '#ports/table.ts';
import { callAws } from './call.ts';
import { callOn, type DynamoDeps } from './dynamo-deps.ts';
import { marshalKey, marshalValue, unmarshalItem } from './marshal.ts';

/**
 * One page of a partition. `next` is the last sort key read. DynamoDB allows one condition on the sort key, and the one with
 * two ends includes both: an item at `to` itself is read and dropped here.
 */
export async function queryPage(deps: DynamoDeps, input: QueryInput): Promise<QueryPage> {
  queryLimit(input.limit);
  assertKeyPart('pk', input.pk);
  if (input.to === '' || (input.to !== undefined && compareUtf8(input.from ?? '', input.to) >= 0)) return { items: [] };
  const command = new QueryCommand({
    TableName: deps.tableName,
    ConsistentRead: true,
    ScanIndexForward: !(input.reverse ?? false),
    ...keyCondition(input),
    ...(input.limit === undefined ? {} : { Limit: input.limit }),
    ...(input.after === undefined ? {} : { ExclusiveStartKey: marshalKey({ pk: input.pk, sk: input.after }) }),
  });
  const page = await callAws(callOn(deps, 'dynamodb:Query', 'always'), () => deps.client.send(command));
  const items = (page.Items ?? []).map(unmarshalItem).filter((item) => input.to === undefined || item.sk !== input.to);
  const next = page.LastEvaluatedKey?.sk?.S;
  const isPastEnd = next === undefined || (input.reverse !== true && next === input.to);
  return isPastEnd ? { items } : { items, next };
}

function keyCondition({ pk, from, to }: QueryInput) {
  const hasFrom = from !== undefined && from !== '';
  let condition = '#pk = :pk';
  if (hasFrom && to !== undefined) condition += ' AND #sk BETWEEN :from AND :to';
  else if (hasFrom) condition += ' AND #sk >= :from';
  else if (to !== undefined) condition += ' AND #sk < :to';
  return {
    KeyConditionExpression: condition,
    ExpressionAttributeNames: { '#pk': 'pk', ...(hasFrom || to !== undefined ? { '#sk': 'sk' } : {}) },
    ExpressionAttributeValues: {
      ':pk': marshalValue(pk),
      ...(hasFrom ? { ':from': marshalValue(from) } : {}),
      ...(to === undefined ? {} : { ':to': marshalValue(to) }),
    },
  };
}
