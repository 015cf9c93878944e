/** Where the data lies. */
export interface Data {
  readonly blobs: sst.aws.Bucket;
  /** Files on their way to an import. */
  readonly uploads: sst.aws.Bucket;
  readonly table: sst.aws.Dynamo;
}
