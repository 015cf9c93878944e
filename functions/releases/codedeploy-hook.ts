import * as z from 'zod';
import { loadConfig } from '#config/load-config.ts';
import { OpsError } from '#core/errors.ts';
import { openAwsDeployments } from '#functions/aws-deployments.ts';
import type { FunctionDeps } from '#functions/deps.ts';
import { parseEvent } from '#functions/event.ts';
import { onLambda } from '#functions/lambda.ts';
import { publishing } from '#functions/publishing.ts';
import { compileApplications } from '#functions/release-files.ts';
import { publishOutbox } from '#ports/outbox.ts';
import { takeDelivery } from '#releases/ci/take-delivery.ts';
import { type AskedHook, noteHook, reportOfHook } from '#releases/traffic/codedeploy-hook.ts';

const id = z.string().min(1).max(200);
/** What CodeDeploy says when it asks whether it may go on. */
const Event = z.object({ DeploymentId: id, LifecycleEventHookExecutionId: id });

/** What became of a hook. */
interface TakenHook {
  readonly deployment: string;
  /** Tenants whose releases it asks for; none where the deployment has ended, so that nobody waits for an answer. */
  readonly tenants: readonly string[];
}

/**
 * Notes a hook for the driver that will answer it, and asks for a release in each tenant that has an application of the deployment group.
 * It can come twice: what was done is met, and the rest is done. `missing` where no application is of that group, since nobody would answer.
 */
export async function takeHook(
  deps: Pick<FunctionDeps, 'table' | 'bus' | 'now' | 'newId' | 'config'>,
  hook: AskedHook & { readonly isEnded: boolean },
): Promise<TakenHook> {
  const { deployment } = hook;
  if (hook.isEnded) return { deployment, tenants: [] };
  const report = reportOfHook(hook);
  const applications = await compileApplications(deps.config);
  const tenants = [...applications].filter(([, own]) => own.some(({ repositories }) => repositories.includes(report.repository)));
  if (tenants.length === 0) {
    throw new OpsError('missing', `no application here is of ${report.repository}, whose deployment ${deployment} waits`, {
      hint: 'Name it among the repositories of an application; CodeDeploy gives the deployment up after an hour.',
    });
  }
  await noteHook(deps, hook);
  for (const [tenant] of tenants) await takeDelivery(deps, { tenant, proof: report.delivery, report });
  await publishOutbox(deps);
  return { deployment, tenants: tenants.map(([tenant]) => tenant) };
}

export const handler = onLambda(
  async (deps, event) => {
    const { DeploymentId: deployment, LifecycleEventHookExecutionId: hookExecution } = parseEvent(Event, event);
    return takeHook(deps, { ...(await openAwsDeployments()(deployment)), deployment, hookExecution });
  },
  {
    ...publishing,
    async load(files) {
      const config = await loadConfig(files);
      await compileApplications(config); // one that is wrong is not taken
      return config;
    },
  },
);
