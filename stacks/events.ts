import { alarmOn } from './alarm.ts';

/** What everything that happens goes through, and what is left where it fails. */
export interface Events {
  readonly bus: sst.aws.Bus;
  readonly deadLetters: sst.aws.Queue;
  /** Alarms are told here; whoever wants to hear of them subscribes. */
  readonly alarms: aws.sns.Topic;
}

/** The bus, the one dead-letter queue and the topic of all alarms. */
export function createEvents(): Events {
  const alarms = new aws.sns.Topic('Alarms', { name: `${$app.name}-${$app.stage}-alarms` });
  const bus = new sst.aws.Bus('Bus');
  const deadLetters = new sst.aws.Queue('DeadLetters', {
    visibilityTimeout: '6 minutes',
    transform: { queue: { sqsManagedSseEnabled: true, messageRetentionSeconds: 14 * 86_400 } },
  });
  alarmOn(alarms, 'DeadLettersWaiting', {
    description: 'Dead letters wait in the queue for a quarter of an hour: events-drain does not take them.',
    namespace: 'AWS/SQS',
    metric: 'ApproximateNumberOfMessagesVisible',
    dimensions: { QueueName: deadLetters.nodes.queue.name },
    statistic: 'Minimum',
    periods: 3,
  });
  alarmOn(alarms, 'DeadLettersArrived', {
    description: 'Something could not be delivered, or its function failed to the end. The log of events-drain has one line for each.',
    namespace: 'AWS/SQS',
    metric: 'NumberOfMessagesSent',
    dimensions: { QueueName: deadLetters.nodes.queue.name },
  });
  return { bus, deadLetters, alarms };
}
