import type { EventTargets, TargetedEvent } from '#ports/event-targets.ts';
import type { Mail, MailMessage } from '#ports/mail.ts';
import type { Outgoing, OutgoingRequest, OutgoingResponse } from '#ports/outgoing.ts';
import type { TopicMessage, Topics } from '#ports/topics.ts';
import { inTurn, type MemoryOptions } from './memory-options.ts';

/** What a scripted call does: answer, or throw. `undefined`: what the fake does unscripted. */
export type ScriptedAnswer = Partial<OutgoingResponse> | Error | undefined;

/** A port that keeps what was sent through it, failed calls included. */
export interface Recorded<T> {
  readonly sent: readonly T[];
  /** What the next calls do, in order; after them all succeed. */
  script(...answers: readonly ScriptedAnswer[]): void;
}

/** Outgoing HTTP in memory: answers 200 with an empty body unless scripted. */
export function createMemoryOutgoing(options: MemoryOptions = {}): Outgoing & Recorded<OutgoingRequest> {
  const recorder = createRecorder<OutgoingRequest>(options);
  return {
    ...recorder.recorded,
    async send(request) {
      const answer = await recorder.take(request);
      return { status: 200, headers: {}, body: '', truncated: false, ...answer };
    },
  };
}

/** Mail in memory. */
export function createMemoryMail(options: MemoryOptions = {}): Mail & Recorded<MailMessage> {
  const recorder = createRecorder<MailMessage>(options);
  return { ...recorder.recorded, send: async (message) => void (await recorder.take(message)) };
}

/** Topics in memory. */
export function createMemoryTopics(options: MemoryOptions = {}): Topics & Recorded<TopicMessage> {
  const recorder = createRecorder<TopicMessage>(options);
  return { ...recorder.recorded, publish: async (message) => void (await recorder.take(message)) };
}

/** Buses of others in memory. */
export function createMemoryEventTargets(options: MemoryOptions = {}): EventTargets & Recorded<TargetedEvent> {
  const recorder = createRecorder<TargetedEvent>(options);
  return { ...recorder.recorded, publish: async (event) => void (await recorder.take(event)) };
}

function createRecorder<T>(options: MemoryOptions) {
  const sent: T[] = [];
  const scripted: ScriptedAnswer[] = [];
  return {
    recorded: { sent, script: (...answers: readonly ScriptedAnswer[]) => void scripted.push(...answers) },
    take: (message: T) =>
      inTurn(options, () => {
        sent.push(structuredClone(message));
        const answer = scripted.shift();
        if (answer instanceof Error) throw answer;
        return answer;
      }),
  };
}
