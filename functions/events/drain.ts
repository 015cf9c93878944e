import { QueueEvent, readDeadLetter } from '#aws/dead-letter-queue.ts';
import { parseEvent } from '#functions/event.ts';
import { type OpsFunction, onLambda, writeLogLine } from '#functions/lambda.ts';
import { keepDeadLetters } from '#ports/dead-letters.ts';

const METRICS = [{ Namespace: 'Quarterdeck', Dimensions: [[]], Metrics: [{ Name: 'DeadLetters', Unit: 'Count' }] }];

/** Empties the dead-letter queue: each letter is kept, and told in one line that CloudWatch counts too (embedded metric format). */
export const run: OpsFunction = async ({ table, now }, event) => {
  const letters = parseEvent(QueueEvent, event).Records.map(readDeadLetter);
  await keepDeadLetters(table, letters);
  for (const { id, from, error } of letters) {
    writeLogLine(JSON.stringify({ _aws: { Timestamp: now(), CloudWatchMetrics: METRICS }, DeadLetters: 1, id, from, error }));
  }
  return { kept: letters.length };
};

export const handler = onLambda(run);
