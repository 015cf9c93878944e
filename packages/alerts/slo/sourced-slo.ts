import type { AlertWindows } from './alert-windows.ts';
import type { Slo } from './slo.ts';

/** An SLO, the file that it is in, and the windows of its alerts. */
export interface SourcedSlo {
  readonly file: string;
  readonly slo: Slo;
  readonly windows: AlertWindows;
}
