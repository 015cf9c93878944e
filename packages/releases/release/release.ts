import type { Verdict } from '#model/judgement.ts';
import type { CapturedTraffic, TrafficState } from '#ports/traffic.ts';
import type { ReleasePlan } from '#releases/application/application.ts';

/**
 * `queued`: another release has the environment. `progressing`: it walks its steps. `rolling-back`: it has failed, and its traffic goes
 * back for as long as that takes. The others are ends: `cancelled` is one that never shifted anything.
 */
export type Phase = 'queued' | 'progressing' | 'rolling-back' | 'promoted' | 'rolled-back' | 'cancelled';

/** Where a release that progresses is: the gates before its step, the shift, the time after it, or the promotion at the end. */
export type Position = 'preparing' | 'before' | 'shifting' | 'holding' | 'promoting';

/**
 * What is to be done to the traffic. It is stored before anything is done, so that whoever comes after a crash does it again; `number`
 * tells outcomes of this one from late ones. `watch` only reads: whether somebody else has changed the weight of a step, or a call that
 * came late has undone a rollback.
 */
export type TrafficIntent = { readonly number: number } & (
  | { readonly kind: 'capture' }
  | { readonly kind: 'shift'; readonly from: TrafficState; readonly to: TrafficState }
  | { readonly kind: 'restore'; readonly onlyIfCarrying: boolean }
  | { readonly kind: 'watch' }
);

/** Something that is asked again and again until it is settled: an analysis, or somebody's webhook. */
export interface Ask {
  /** The gate's. */
  readonly key: string;
  readonly kind: 'analysis' | 'webhook';
  /** Which run it is, from 1: an analysis can begin anew. */
  readonly run: number;
  /** Of an analysis: nothing earlier is looked at. */
  readonly fromMs: number;
  /** Answers so far. */
  readonly done: number;
  /** What is being asked now; kept until there is an answer, so that the same look is taken again after a crash. */
  readonly pending?: { readonly number: number; readonly toMs: number } | undefined;
  /** When it is asked next; of one that is pending, when it is tried again. */
  readonly nextMs: number;
  readonly verdict?: Verdict | 'open' | 'refused' | undefined;
  readonly sentence?: string | undefined;
  /** Refusals in a row. */
  readonly refusals: number;
  /** Tries in a row without any answer. */
  readonly errors: number;
}

/** `running`: on its way, nobody has to do anything. `failed`: it has said no, which `otherwise` is about. */
export interface GateState {
  readonly key: string;
  readonly name: string;
  readonly kind: string;
  readonly state: 'open' | 'running' | 'shut' | 'failed';
  readonly sentence: string;
  readonly sinceMs: number;
}

export interface Approval {
  readonly gate: string;
  readonly by: string;
  readonly atMs: number;
}

/** Why a release does not get on: its driver cannot be reached, or does not do what it is told. */
export interface Trouble {
  readonly sinceMs: number;
  readonly attempts: number;
  /** When it is tried again. */
  readonly nextMs: number;
  readonly sentence: string;
}

/** What a release is of, and who wanted it. */
export interface ReleaseRequest {
  readonly tenant: string;
  readonly application: string;
  readonly environment: string;
  /** What drivers know it by. */
  readonly version: string;
  readonly commit: string;
  readonly ref?: string | undefined;
  readonly artifactDigest?: string | undefined;
  readonly sbomUrl?: string | undefined;
  readonly actor: string;
  /** `github:<delivery>`, `api:<id>`: the same one starts one release. */
  readonly delivery: string;
  readonly reply?: Readonly<Record<string, string>> | undefined;
}

/** The whole state of a release: what is not in here is not known. */
export interface Release extends Omit<ReleaseRequest, 'delivery' | 'reply'> {
  readonly id: string;
  readonly deliveries: readonly string[];
  /** How those who asked want to be answered: unread. */
  readonly replies: readonly Readonly<Record<string, string>>[];
  readonly plan: ReleasePlan;
  readonly phase: Phase;
  readonly position: Position;
  /** Index of the step. */
  readonly step: number;
  readonly paused?: { readonly by: string; readonly atMs: number; readonly why: string } | undefined;
  readonly createdAtMs: number;
  readonly startedAtMs?: number | undefined;
  readonly endedAtMs?: number | undefined;
  /** Why it failed, or how it ended. */
  readonly outcome?: string | undefined;
  /** What had all traffic before it. */
  readonly stable?: string | undefined;
  readonly captured?: CapturedTraffic | undefined;
  /** As the driver last said. */
  readonly traffic?: TrafficState | undefined;
  readonly intent?: TrafficIntent | undefined;
  /** Traffic intents so far. */
  readonly intents: number;
  /** Whether a shift has been meant at all: only then is there something to put back. */
  readonly touched: boolean;
  readonly trouble?: Trouble | undefined;
  readonly gates: readonly GateState[];
  readonly asks: Readonly<Record<string, Ask>>;
  readonly approvals: readonly Approval[];
  /** Keys of the gates that it was last said to wait for. */
  readonly waitingFor: string;
  /** Time that was seen to pass: a clock that jumps lets none pass. */
  readonly clock: { readonly lastMs: number; readonly heldMs: number; readonly waitedMs: number };
  /** When the traffic was last looked at without any change being meant. */
  readonly watchedAtMs: number;
  /** Until when a promoted one can be returned at once, and one that was rolled back is looked after. */
  readonly keepUntilMs?: number | undefined;
  readonly watchUntilMs?: number | undefined;
  /** Entries of its history, and events, so far. */
  readonly entries: number;
  readonly events: number;
  /** Of the last event. */
  readonly toldAtMs?: number | undefined;
}

/** One thing that happened to a release. Entries are added and never changed. */
export interface HistoryEntry {
  /** From 1, without gaps. */
  readonly number: number;
  readonly atMs: number;
  readonly kind: 'requested' | 'started' | 'command' | 'step' | 'traffic' | 'gate' | 'analysis' | 'trouble' | 'ended';
  readonly sentence: string;
  readonly actor?: string | undefined;
  /** Of `traffic`: the intent's number, and what is meant or was read. */
  readonly intent?: number | undefined;
  readonly from?: TrafficState | undefined;
  readonly to?: TrafficState | undefined;
}

/** True for one that has ended; a promoted one can still be returned for a while. */
export function isEnded({ phase }: Pick<Release, 'phase'>): boolean {
  return phase === 'promoted' || phase === 'rolled-back' || phase === 'cancelled';
}

/** Percent of the traffic that a version has. */
export function carriedBy(version: string, { stable, canary, weight }: TrafficState): number {
  const ofCanary = canary === undefined ? 0 : weight;
  return (stable === version ? 100 - ofCanary : 0) + (canary === version ? ofCanary : 0);
}

/** A release before anything has happened to it. */
export function newRelease(request: ReleaseRequest, plan: ReleasePlan, id: string, nowMs: number): Release {
  const { delivery, reply, ...rest } = request;
  return {
    ...rest,
    ...{ id, plan, deliveries: [delivery], replies: reply ? [reply] : [] },
    phase: 'queued',
    position: 'preparing',
    step: 0,
    createdAtMs: nowMs,
    intents: 0,
    touched: false,
    gates: [],
    asks: {},
    approvals: [],
    waitingFor: '',
    clock: { lastMs: nowMs, heldMs: 0, waitedMs: 0 },
    watchedAtMs: nowMs,
    entries: 0,
    events: 0,
  };
}
