export default $config({
  app(input) {
    const isProduction = input.stage === 'production';
    return {
      name: 'quarterdeck',
      home: 'aws',
      removal: isProduction ? 'retain' : 'remove',
      protect: isProduction,
      providers: { aws: { version: '7.20.0' } },
    };
  },
  async run() {
    const { createEvents } = await import('./stacks/events.ts');
    const { createStorage } = await import('./stacks/storage.ts');
    const { createIngest } = await import('./stacks/ingest.ts');
    const { createQuery } = await import('./stacks/query.ts');
    const { createAlerts } = await import('./stacks/alerts.ts');
    const { createReleases } = await import('./stacks/releases.ts');
    const { createFlags } = await import('./stacks/flags.ts');
    const { createBackups } = await import('./stacks/backups.ts');
    const { createKeys } = await import('./stacks/api.ts');
    const { connectEvents } = await import('./stacks/triggers.ts');
    const events = createEvents();
    const storage = createStorage(events);
    const ingest = createIngest(events, storage);
    const query = createQuery(events, storage);
    // What notifications may reach beyond HTTP: docs/deployment/aws.md, "Alerts".
    const alerts = createAlerts(events, storage, query.url, { mailArns: [], topicArns: [], eventBusArns: [] });
    // What releases shift, look at and answer: docs/deployment/aws.md, "Releases".
    const releases = createReleases(events, storage, { lambdaFunctionArns: [], restApiArns: [], codeDeployArns: [] });
    const flags = createFlags(events, storage);
    // What backups are taken of, beside this installation: docs/deployment/aws.md, "Backups".
    const backups = createBackups(events, storage, { tableArns: [], bucketArns: [] });
    const functions = {
      ...storage.functions,
      ...ingest.functions,
      ...query.functions,
      ...alerts.functions,
      ...releases.functions,
      ...flags.functions,
      ...backups.functions,
      ...createKeys(events, storage),
    };
    connectEvents(events, storage, functions);
    return {
      ingestUrl: ingest.url,
      queryUrl: query.url,
      alertsUrl: alerts.url,
      releasesUrl: releases.url,
      webhooksUrl: releases.webhooksUrl,
      flagsUrl: flags.url,
      backupsUrl: backups.url,
      bucket: storage.blobs.name,
      backupsBucket: backups.bucket.name,
      backupsKey: backups.keyAlias,
      table: storage.table.name,
      alarms: events.alarms.arn,
    };
  },
});
