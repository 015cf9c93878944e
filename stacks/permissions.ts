type TableAction = 'GetItem' | 'Query' | 'PutItem' | 'UpdateItem' | 'DeleteItem' | 'BatchWriteItem' | 'ConditionCheckItem';

/** These operations on the table; a transaction takes those of its writes. */
export function onTable(table: sst.aws.Dynamo, ...actions: readonly TableAction[]): sst.aws.FunctionPermissionArgs {
  return { actions: actions.map((action) => `dynamodb:${action}`), resources: [table.arn] };
}

/** These actions on the objects below these folders of a bucket. */
export function within(bucket: sst.aws.Bucket, actions: string[], ...folders: readonly string[]): sst.aws.FunctionPermissionArgs {
  return { actions, resources: folders.map((folder) => $interpolate`${bucket.arn}/${folder}/*`) };
}
