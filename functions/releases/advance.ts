import * as z from 'zod';
import { compileAlerting } from '#functions/alerting.ts';
import { parseEvent } from '#functions/event.ts';
import { compileFlags } from '#functions/flag-files.ts';
import { type OpsFunction, onLambda } from '#functions/lambda.ts';
import { loadWith } from '#functions/load-config.ts';
import { publishing } from '#functions/publishing.ts';
import { compileApplications } from '#functions/release-files.ts';
import { advanceDeps } from '#functions/releases-deps.ts';
import { CiReport } from '#model/ci-report.ts';
import { publishOutbox } from '#ports/outbox.ts';
import { advanceReleases } from '#releases/run/advance-releases.ts';
import { takeReport } from '#releases/run/take-report.ts';

/** The event "Ci Reported" brings a report; "Release Due", "Alerts Changed" and the clock bring nothing but the occasion. */
const Event = z.object({ detail: z.object({ tenant: z.string(), at: z.iso.datetime(), report: CiReport.optional() }).optional() });

/** Takes what CI has said, and gets every release on as far as it goes. */
export const run: OpsFunction = async (deps, event) => {
  const { table, bus } = deps;
  const { detail } = parseEvent(Event, event);
  const releases = advanceDeps(deps);
  const taken = detail?.report && (await takeReport(releases, detail.tenant, detail.report, Date.parse(detail.at)));
  try {
    return { taken, advanced: await advanceReleases(releases) };
  } finally {
    await publishOutbox({ table, bus }); // not in a minute, but now
  }
};

export const handler = onLambda(run, { ...publishing, load: loadWith(compileApplications, compileFlags, compileAlerting) });
