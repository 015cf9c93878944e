import { createEventTargets } from '#aws/event-targets.ts';
import { createSesMail } from '#aws/ses-mail.ts';
import { createSnsTopics } from '#aws/sns-topics.ts';
import type { FunctionDeps } from './deps.ts';

/** SES, SNS and other buses, for the function that sends notifications. */
export function openAwsNotifiers(options: { readonly allowPrivate: boolean }): Pick<FunctionDeps, 'mail' | 'topics' | 'eventTargets'> {
  return { mail: createSesMail({}), topics: createSnsTopics(options), eventTargets: createEventTargets({}) };
}
