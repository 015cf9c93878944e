/** A figure of CloudWatch's. */
export interface Watched {
  readonly description: string;
  readonly namespace: string;
  readonly metric: string;
  readonly dimensions: Readonly<Record<string, $util.Input<string>>>;
  /** Default: Sum. */
  readonly statistic?: 'Sum' | 'Minimum' | undefined;
  /** Five minutes each, all of which have to be wrong. Default: 1. */
  readonly periods?: number | undefined;
}

/** Alarms as soon as the figure is above 0, and says when it is not any more. No data is no alarm. */
export function alarmOn(topic: aws.sns.Topic, name: string, watched: Watched): void {
  createAlarm(topic, name, watched, { comparisonOperator: 'GreaterThanThreshold', threshold: 0, treatMissingData: 'notBreaching' });
}

/** Alarms when the figure stays below 1: of what has to happen. No data is an alarm. */
export function alarmOnSilence(topic: aws.sns.Topic, name: string, watched: Watched): void {
  createAlarm(topic, name, watched, { comparisonOperator: 'LessThanThreshold', threshold: 1, treatMissingData: 'breaching' });
}

type Judgement = Pick<aws.cloudwatch.MetricAlarmArgs, 'comparisonOperator' | 'threshold' | 'treatMissingData'>;

function createAlarm(topic: aws.sns.Topic, name: string, watched: Watched, judgement: Judgement): void {
  new aws.cloudwatch.MetricAlarm(`${name}Alarm`, {
    name: `${$app.name}-${$app.stage}-${name}`,
    alarmDescription: watched.description,
    namespace: watched.namespace,
    metricName: watched.metric,
    dimensions: watched.dimensions,
    statistic: watched.statistic ?? 'Sum',
    period: 300,
    evaluationPeriods: watched.periods ?? 1,
    ...judgement,
    alarmActions: [topic.arn],
    okActions: [topic.arn],
  });
}
