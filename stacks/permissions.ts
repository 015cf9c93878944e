type TableAction = 'GetItem' | 'Query' | 'PutItem' | 'UpdateItem' | 'DeleteItem' | 'BatchWriteItem' | 'ConditionCheckItem';

/** These operations on the table; a transaction takes those of its writes. */
export function onTable(table: sst.aws.Dynamo, ...actions: readonly TableAction[]): sst.aws.FunctionPermissionArgs {
  return { actions: actions.map((action) => `dynamodb:${action}`), resources: [table.arn] };
}

/** These actions on the objects below these folders of a bucket. */
export function within(bucket: sst.aws.Bucket, actions: string[], ...folders: readonly string[]): sst.aws.FunctionPermissionArgs {
  return { actions, resources: folders.map((folder) => $interpolate`${bucket.arn}/${folder}/*`) };
}

/** As `onTable`, on items of these partitions alone: names, or the beginnings of names with `*` after them. */
export function onPartitions(
  table: sst.aws.Dynamo,
  partitions: readonly string[],
  ...actions: readonly TableAction[]
): sst.aws.FunctionPermissionArgs {
  const variable = 'dynamodb:LeadingKeys';
  const conditions = [
    { test: 'ForAllValues:StringLike', variable, values: [...partitions] },
    { test: 'Null', variable, values: ['false'] }, // "all of none" would be true
  ];
  return { ...onTable(table, ...actions), conditions };
}
