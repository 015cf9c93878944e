import type { EventPattern } from '#ports/bus.ts';
import { answeredEvents } from '#releases/ci/release-event.ts';

/** A function that events start. */
export interface Subscription {
  readonly name: string;
  readonly function: string;
  readonly pattern: EventPattern;
}

/** Everything that runs because something happened: the same rules on EventBridge and on the local bus. */
export const subscriptions: readonly Subscription[] = [
  {
    name: 'downsample-final-day',
    function: 'storage-downsample',
    pattern: { source: ['quarterdeck.storage'], 'detail-type': ['Block Committed'], detail: { tier: ['hot'], final: [true] } },
  },
  {
    name: 'import-upload',
    function: 'ingest-import',
    pattern: { source: ['aws.s3'], 'detail-type': ['Object Created'] },
  },
  {
    name: 'import-continue',
    function: 'ingest-import',
    pattern: { source: ['quarterdeck.ingest'], 'detail-type': ['Import Continued'] },
  },
  {
    name: 'dispatch-received-alerts',
    function: 'alerts-dispatch',
    pattern: { source: ['quarterdeck.alerts'], 'detail-type': ['Alerts Received'] },
  },
  {
    name: 'deliver-due-notifications',
    function: 'alerts-deliver',
    pattern: { source: ['quarterdeck.alerts'], 'detail-type': ['Notifications Due'] },
  },
  ...(['snapshot', 'restore', 'drill'] as const).map((job) => ({
    name: `asked-${job}`,
    function: `backups-${job}`,
    pattern: { source: ['quarterdeck.backups'], 'detail-type': ['Job Asked'], detail: { job: [job] } },
  })),
  {
    name: 'advance-releases',
    function: 'releases-advance',
    pattern: { source: ['quarterdeck.releases'], 'detail-type': ['Ci Reported', 'Release Due'] },
  },
  {
    name: 'halt-releases',
    function: 'releases-advance',
    pattern: { source: ['quarterdeck.alerts'], 'detail-type': ['Alerts Changed'] },
  },
  {
    name: 'configure-release',
    function: 'releases-configure',
    pattern: { source: ['quarterdeck.releases'], 'detail-type': ['Release Started', 'Release Promoted', 'Release Rolled Back'] },
  },
  {
    name: 'answer-release',
    function: 'releases-answer',
    pattern: { source: ['quarterdeck.releases'], 'detail-type': answeredEvents },
  },
];
