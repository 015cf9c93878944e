import { retry } from '#core/retry.ts';
import type { Clock } from '#core/time.ts';
import type { CiReport } from '#model/ci-report.ts';
import type { Table } from '#ports/table.ts';

/** What CodeDeploy tells the hook, and what it says of the deployment when it is asked. */
export interface AskedHook {
  readonly deployment: string;
  readonly hookExecution: string;
  readonly application: string;
  readonly deploymentGroup: string;
  /** The version that is deployed. */
  readonly version: string;
}

type Group = Pick<AskedHook, 'application' | 'deploymentGroup'>;

const PARTITION = 'releases/_codedeploy'; // no tenant's name begins so

function keyOf({ application, deploymentGroup }: Group) {
  return { pk: PARTITION, sk: `${application}/${deploymentGroup}` };
}

/** Notes which execution waits for an answer, in the place of the one before. */
export async function noteHook({ table, now }: { readonly table: Table; readonly now: Clock }, hook: AskedHook): Promise<void> {
  const { deployment, hookExecution } = hook;
  await retry(() => table.put({ ...keyOf(hook), deployment, hookExecution, atMs: now() }));
}

/** The execution that was noted last for a deployment group. */
export async function readHook(
  table: Table,
  group: Group,
): Promise<{ readonly deployment: string; readonly hookExecution: string } | undefined> {
  const item = await retry(() => table.get(keyOf(group)));
  return item && { deployment: String(item.deployment), hookExecution: String(item.hookExecution) };
}

/** What a hook's call asks for: a release, by applications that name `codedeploy/<application>/<deployment group>` among their repositories. */
export function reportOfHook({ deployment, application, deploymentGroup, version }: AskedHook): CiReport {
  return {
    ...{ provider: 'ci', kind: 'release-requested', delivery: `codedeploy/${deployment}`, commit: '', version, actor: 'CodeDeploy' },
    repository: `codedeploy/${application}/${deploymentGroup}`,
  };
}
