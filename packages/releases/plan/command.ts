import { OpsError } from '#core/errors.ts';
import { judgeGate } from '#releases/gates/judge-gate.ts';
import { isEnded, type Release } from '#releases/release/release.ts';
import { change, type Draft, note, tell } from './draft.ts';
import { beginShift, currentStep, end, fail, gatesInQuestion, leaveStep, openAsk } from './steps.ts';

export const COMMANDS = ['approve', 'reject', 'pause', 'resume', 'abort', 'promote', 'retry'] as const;

/** What a person, or a CI system in a person's name, wants of a release. */
export interface Command {
  readonly kind: 'command';
  readonly command: (typeof COMMANDS)[number];
  readonly actor: string;
  readonly why?: string | undefined;
  /** The step that was seen, from 1: at any other it is refused, so that the same command twice is not two. */
  readonly step?: number | undefined;
  /** Whether its environment is free, or its own, so that a promoted release can be returned. */
  readonly canReturn?: boolean | undefined;
}

/** Obeys, or says why not (`conflict`, `denied`). What is so already changes nothing. */
export function takeCommand(draft: Draft, command: Command): void {
  const { release } = draft;
  const { step } = command;
  if (step !== undefined && step !== release.step + 1)
    throw new OpsError('conflict', `release ${release.id} is at step ${release.step + 1} by now, not at ${step}`, {
      hint: 'Look at it again, and say which step you mean.',
    });
  HANDLERS[command.command](draft, command);
}

const HANDLERS: Readonly<Record<Command['command'], (draft: Draft, command: Command) => void>> = {
  approve,
  reject(draft, command) {
    if (isEnded(draft.release) || draft.release.phase === 'rolling-back') refuse(draft, command);
    noteCommand(draft, command, 'rejected');
    fail(draft, `rejected by ${command.actor}${because(command)}`);
  },
  pause(draft, command) {
    if (draft.release.paused) return;
    if (draft.release.phase !== 'progressing') refuse(draft, command);
    change(draft, { paused: { by: command.actor, atMs: draft.nowMs, why: command.why ?? '' } });
    noteCommand(draft, command, 'paused');
    tellCommand(draft, command, 'Release Paused');
  },
  resume(draft, command) {
    if (draft.release.phase !== 'progressing') refuse(draft, command);
    if (!draft.release.paused) return;
    change(draft, { paused: undefined });
    noteCommand(draft, command, 'resumed');
    tellCommand(draft, command, 'Release Resumed');
  },
  abort,
  promote,
  retry,
};

function because({ why }: Command): string {
  return why ? `: ${why}` : '';
}

function noteCommand(draft: Draft, command: Command, what: string): void {
  note(draft, 'command', `${what} by ${command.actor}${because(command)}`, { actor: command.actor });
}

function tellCommand(draft: Draft, command: Command, detailType: 'Release Paused' | 'Release Resumed'): void {
  const { application, environment, version } = draft.release;
  const what = detailType === 'Release Paused' ? 'paused' : 'resumed';
  tell(draft, detailType, `${application} ${version} in ${environment} was ${what} by ${command.actor}${because(command)}`);
}

function refuse({ release }: Draft, { command }: Command): never {
  const where = release.phase === 'progressing' ? `is at step ${release.step + 1} (${release.position})` : `is ${release.phase}`;
  throw new OpsError('conflict', `release ${release.id} ${where}: there is nothing to ${command}`);
}

/** For the approval gates that are asked for now; one that comes early is none. */
function approve(draft: Draft, command: Command): void {
  const { release, nowMs } = draft;
  const { actor } = command;
  const asked = gatesInQuestion(release).flatMap((gate) => (gate.kind === 'approval' ? [gate] : []));
  if (asked.length === 0) refuse(draft, command);
  const meant = asked.filter(({ by }) => by === undefined || by.includes(actor));
  if (meant.length === 0) {
    const who = [...new Set(asked.flatMap(({ by = [] }) => by))].join(', ');
    throw new OpsError('denied', `${actor} may not approve release ${release.id}; these may: ${who}`);
  }
  const has = (gate: string) => release.approvals.some((approval) => approval.gate === gate && approval.by === actor);
  const fresh = meant.filter(({ key }) => !has(key)).map(({ key: gate }) => ({ gate, by: actor, atMs: nowMs }));
  if (fresh.length === 0) return;
  change(draft, { approvals: [...release.approvals, ...fresh] });
  noteCommand(draft, command, 'approved');
  const stands = new Map(asked.map((gate) => [gate.key, judgeGate(gate, draft.release, {}, nowMs)]));
  change(draft, { gates: release.gates.map((gate) => ({ ...gate, ...stands.get(gate.key) })) });
}

/** Ends a release that is under way, and returns one that was promoted for as long as the old version is kept. */
function abort(draft: Draft, command: Command): void {
  const { release, nowMs } = draft;
  const { phase, keepUntilMs } = release;
  if (phase === 'rolling-back' || phase === 'rolled-back' || phase === 'cancelled') return;
  const why = `aborted by ${command.actor}${because(command)}`;
  if (phase !== 'promoted') {
    noteCommand(draft, command, 'aborted');
    if (phase === 'queued') end(draft, 'cancelled', why);
    else fail(draft, why);
    return;
  }
  if (keepUntilMs === undefined || nowMs >= keepUntilMs || !command.canReturn)
    throw new OpsError('conflict', `release ${release.id} is promoted, and the version before it is kept no longer`, {
      hint: 'Release the version before it again.',
    });
  noteCommand(draft, command, 'returned');
  fail(draft, `returned to ${release.stable} by ${command.actor}${because(command)}`);
}

/** Goes on with the next step whatever pause and gates of this one say: a person answers for it. */
function promote(draft: Draft, command: Command): void {
  const { release } = draft;
  if (release.phase === 'promoted') return;
  const { position } = release;
  if (release.phase !== 'progressing' || (position !== 'before' && position !== 'holding')) refuse(draft, command);
  const passed = release.gates.filter(({ state }) => state !== 'open').map(({ name }) => name);
  change(draft, { paused: undefined });
  noteCommand(
    draft,
    command,
    `step ${release.step + 1}, ${currentStep(release).name}, passed${passed.length > 0 ? ` over ${passed.join(', ')}` : ''}`,
  );
  if (position === 'before') beginShift(draft);
  else leaveStep(draft);
}

/** Tries at once what waits for its next try, and begins analyses anew that came to no end. */
function retry(draft: Draft, command: Command): void {
  const { release, nowMs } = draft;
  const { trouble, asks } = release;
  const stopped = gatesInQuestion(release).filter(({ key }) => asks[key]?.verdict === 'inconclusive' || (asks[key]?.errors ?? 0) > 0);
  if (!trouble && stopped.length === 0) refuse(draft, command);
  if (trouble) change(draft, { trouble: { ...trouble, nextMs: nowMs } });
  const again = stopped.map((gate) => [gate.key, openAsk(gate, (asks[gate.key] as Release['asks'][string]).run + 1, nowMs)] as const);
  change(draft, { asks: { ...asks, ...Object.fromEntries(again) } });
  noteCommand(draft, command, 'tried again');
}
