import { openRunningConfiguration } from '#aws/open-running-configuration.ts';
import type { RunningConfiguration } from '#ports/running-configuration.ts';

let opened: RunningConfiguration | undefined;

/** Lambda, Secrets Manager and Systems Manager, for the function that looks for drift; one set of clients for the life of the process. */
export function openAwsRunning(): RunningConfiguration {
  opened ??= openRunningConfiguration({});
  return opened;
}
