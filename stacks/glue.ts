import { schemas } from '#storage/parquet/schema.ts';

const glueTypes = { string: 'string', timestamp: 'timestamp', int64: 'bigint', int32: 'int', double: 'double', boolean: 'boolean' };
/** The folders of the layout that blocks are written in. */
const partitions = ['tier', 'signal', 'tenant', 'date'];

/** Athena, Spark and Trino find the blocks here: `samples` are the raw ones, `aggregates` those of 5 min and 1 h. */
export function createCatalog(blobs: sst.aws.Bucket): void {
  const database = new aws.glue.CatalogDatabase('Catalog', {
    name: `${$app.name}_${$app.stage}`.replace(/[^A-Za-z0-9]/g, '_').toLowerCase(),
  });
  createTable(blobs, database, 'samples', 'hot');
  createTable(blobs, database, 'aggregates', 'warm,cold');
}

/**
 * Partitions are computed, so that no crawler and no partition list is needed. A query names its tenant (`tenant = '...'`), which
 * is part of the path and not listed anywhere.
 */
function createTable(blobs: sst.aws.Bucket, database: aws.glue.CatalogDatabase, kind: keyof typeof schemas, tiers: string): void {
  const layout = partitions.map((name) => `${name}=\${${name}}/`).join('');
  new aws.glue.CatalogTable(`Catalog${kind === 'samples' ? 'Samples' : 'Aggregates'}`, {
    name: kind,
    databaseName: database.name,
    tableType: 'EXTERNAL_TABLE',
    partitionKeys: partitions.map((name) => ({ name, type: name === 'date' ? 'date' : 'string' })),
    parameters: {
      EXTERNAL: 'TRUE',
      classification: 'parquet',
      'projection.enabled': 'true',
      'projection.tier.type': 'enum',
      'projection.tier.values': tiers,
      'projection.signal.type': 'enum',
      'projection.signal.values': 'metrics',
      'projection.tenant.type': 'injected',
      'projection.date.type': 'date',
      'projection.date.format': 'yyyy-MM-dd',
      'projection.date.range': '2000-01-01,NOW+1DAYS',
      'projection.date.interval': '1',
      'projection.date.interval.unit': 'DAYS',
      'storage.location.template': $interpolate`s3://${blobs.name}/${layout}`,
    },
    storageDescriptor: {
      location: $interpolate`s3://${blobs.name}/`,
      inputFormat: 'org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat',
      outputFormat: 'org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat',
      serDeInfo: { serializationLibrary: 'org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe' },
      columns: schemas[kind].map(({ name, type }) => ({ name, type: glueTypes[type] })),
    },
  });
}
