import * as z from 'zod';
import { openAnswering } from '#functions/answering.ts';
import { parseEvent } from '#functions/event.ts';
import { type OpsFunction, onLambda, writeLogLine } from '#functions/lambda.ts';
import { recordAnswers } from '#releases/ci/record-answers.ts';
import { ReleaseEvent } from '#releases/ci/release-event.ts';
import { sendAnswers } from '#releases/ci/send-answers.ts';

/** An event of a release, or nothing by the clock. */
const Event = z.object({ 'detail-type': z.string().optional(), detail: ReleaseEvent.optional() });

const METRICS = [{ Namespace: 'Quarterdeck', Dimensions: [[]], Metrics: [{ Name: 'AnswersGivenUp', Unit: 'Count' }] }];

/** Notes what an event has to be told to providers, and sends what is due. */
const answer = async (deps: Parameters<OpsFunction>[0], event: Parameters<OpsFunction>[1]) => {
  const { table, now, newId, remainingMs, storage } = deps;
  const { 'detail-type': detailType, detail } = parseEvent(Event, event);
  const { canAnswer, send } = openAnswering();
  const recorded = detailType && detail ? await recordAnswers({ table, now, newId, canAnswer }, detailType, detail) : 0;
  const { onlyTenant } = storage;
  return { recorded, ...(await sendAnswers({ table, now, newId, send, remainingMs, onlyTenant, random: Math.random })) };
};

export const run: OpsFunction = answer;

export const handler = onLambda(async (deps, event) => {
  const result = await answer(deps, event);
  if (result.gaveUp > 0) {
    writeLogLine(JSON.stringify({ _aws: { Timestamp: deps.now(), CloudWatchMetrics: METRICS }, AnswersGivenUp: result.gaveUp }));
  }
  return result;
});
