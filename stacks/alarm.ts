/** A figure of CloudWatch's that should be 0. */
export interface Watched {
  readonly description: string;
  readonly namespace: string;
  readonly metric: string;
  readonly dimensions: Readonly<Record<string, $util.Input<string>>>;
  /** Default: Sum. */
  readonly statistic?: 'Sum' | 'Minimum' | undefined;
  /** Five minutes each, all of them above 0. Default: 1. */
  readonly periods?: number | undefined;
}

/** Alarms as soon as the figure is above 0, and says when it is not any more. No data is no alarm. */
export function alarmOn(topic: aws.sns.Topic, name: string, watched: Watched): void {
  new aws.cloudwatch.MetricAlarm(`${name}Alarm`, {
    name: `${$app.name}-${$app.stage}-${name}`,
    alarmDescription: watched.description,
    namespace: watched.namespace,
    metricName: watched.metric,
    dimensions: watched.dimensions,
    statistic: watched.statistic ?? 'Sum',
    period: 300,
    evaluationPeriods: watched.periods ?? 1,
    comparisonOperator: 'GreaterThanThreshold',
    threshold: 0,
    treatMissingData: 'notBreaching',
    alarmActions: [topic.arn],
    okActions: [topic.arn],
  });
}
