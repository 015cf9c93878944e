import * as z from 'zod';
import { CiReport } from '#model/ci-report.ts';
import { type ReadEvent, readPayload } from './report-fields.ts';

/**
 * The body of `/webhooks/ci`: a report without what the delivery itself says. A field that is not known is refused, so that a misspelt one
 * does not go unseen.
 */
export const CiRequest = z
  .strictObject(CiReport.omit({ provider: true, delivery: true, reply: true }).shape)
  .superRefine(({ kind, check, commit, version }, context) => {
    if (kind === 'check-reported' && !check)
      context.addIssue({ code: 'custom', path: ['check'], message: 'is what check-reported is about' });
    if (kind !== 'check-reported' && check)
      context.addIssue({ code: 'custom', path: ['check'], message: 'goes with check-reported alone' });
    if (commit === '' && version === undefined)
      context.addIssue({ code: 'custom', path: ['commit'], message: 'is empty: name a version then' });
  });
export type CiRequest = z.infer<typeof CiRequest>;

/** What a generic delivery says. */
export function readCiRequest(payload: unknown): ReadEvent {
  return { kind: 'report', report: readPayload(CiRequest, payload) };
}
