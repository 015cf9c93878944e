import type { Json } from '#model/json.ts';
import type { Gate } from './gate.ts';

/** One weight of a release, with what has to hold before it is set and before it is left. */
export interface ReleaseStep {
  readonly name: string;
  /** Percent of the traffic that the new version gets. */
  readonly weight: number;
  /** How long it is held at least. */
  readonly pauseMs: number;
  readonly before: readonly Gate[];
  readonly after: readonly Gate[];
}

/** How a version is released to one environment: what a release takes along when it starts, whatever the configuration says later. */
export interface ReleasePlan {
  /** Absent where nothing here shifts traffic: the release only passes its gates. */
  readonly driver?: { readonly type: string; readonly settings: Readonly<Record<string, unknown>> } | undefined;
  readonly strategy: string;
  readonly steps: readonly ReleaseStep[];
  /** Analyses that run from the first traffic to the end, beside those of single steps. */
  readonly background: readonly Gate[];
  /** Those that gates name. */
  readonly analyses: Readonly<Record<string, Json>>;
  /** How long a step may wait for its gates, and a driver for its shift, before the release fails. */
  readonly deadlineMs: number;
  /** How long the old version is kept after the promotion. */
  readonly keepMs: number;
  /** What a newer release of the environment does: waits its turn, or ends this one. */
  readonly onNewer: 'queue' | 'supersede';
}

export interface Environment {
  readonly name: string;
  /** What starts a release: CI asks for it, a version was promoted in all that the environment requires, a version was seen. */
  readonly starts: readonly ('requested' | 'promoted' | 'seen')[];
  /** Environments in which a version has to have been promoted. */
  readonly requires: readonly string[];
  readonly plan: ReleasePlan;
}

/** A stage of the way from a commit to its users. */
export interface PipelineStage {
  readonly stage: 'build' | 'test' | 'package' | 'deploy' | 'verify';
  readonly environment?: string | undefined;
  readonly checks: readonly string[];
  readonly needs: readonly ('digest' | 'sbom')[];
}

/** What is released, from where, and how. */
export interface Application {
  readonly name: string;
  readonly repositories: readonly string[];
  /** Labels by which its alerts are known. */
  readonly service: Readonly<Record<string, string>>;
  /** Branches and tags whose versions may be released, with `*`; any where there is none. */
  readonly refs: readonly string[];
  readonly pipeline: readonly PipelineStage[];
  /** In order. */
  readonly environments: readonly Environment[];
}
