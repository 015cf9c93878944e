import { formatDuration } from '#core/duration.ts';
import { isFrozen } from '#releases/application/freeze-window.ts';
import type { Gate } from '#releases/application/gate.ts';
import type { Ask, GateState, Release } from '#releases/release/release.ts';

/** How a gate stands, in words. */
export type GateFact = Pick<GateState, 'state' | 'sentence'>;

/** What others say of gates, by the gate's key. */
export type GateFacts = Readonly<Record<string, GateFact>>;

/** How a gate stands, by what the release remembers, the time, and what others were asked. What nobody knows is shut. */
export function judgeGate(gate: Gate, release: Release, facts: GateFacts, nowMs: number): GateFact {
  switch (gate.kind) {
    case 'freeze':
      return judgeFreeze(gate, nowMs);
    case 'approval':
      return judgeApproval(gate, release);
    case 'artifact':
      return judgeArtifact(gate, release);
    case 'analysis':
      return judgeAnalysis(release.asks[gate.key]);
    case 'webhook':
      return judgeWebhook(gate, release.asks[gate.key]);
    default:
      return facts[gate.key] ?? { state: 'shut', sentence: 'has not been looked at yet' };
  }
}

function judgeFreeze({ windows }: Extract<Gate, { kind: 'freeze' }>, nowMs: number): GateFact {
  const [name, window] = Object.entries(windows).find(([, each]) => isFrozen(each, nowMs)) ?? [];
  if (name === undefined || window === undefined) return { state: 'open', sentence: 'nothing is frozen now' };
  return { state: 'shut', sentence: `the freeze ${name} is on${window.why === '' ? '' : `: ${window.why}`}` };
}

function judgeApproval({ key, by, count }: Extract<Gate, { kind: 'approval' }>, { approvals }: Release): GateFact {
  const names = [...new Set(approvals.filter(({ gate }) => gate === key).map((approval) => approval.by))];
  if (names.length >= count) return { state: 'open', sentence: `approved by ${names.join(' and ')}` };
  const whose = by ? ` of ${by.join(', ')}` : '';
  return { state: 'shut', sentence: `${names.length} of ${count} approvals${whose}${names.length > 0 ? `: ${names.join(', ')}` : ''}` };
}

function judgeArtifact({ needs }: Extract<Gate, { kind: 'artifact' }>, { artifactDigest, sbomUrl }: Release): GateFact {
  const has = { digest: artifactDigest !== undefined, sbom: sbomUrl !== undefined };
  const missing = needs.filter((need) => !has[need]);
  if (missing.length === 0) return { state: 'open', sentence: `the version has its ${needs.join(' and ')}` };
  return { state: 'shut', sentence: `the version has no ${missing.join(' and no ')}` };
}

function judgeAnalysis(ask: Ask | undefined): GateFact {
  const { verdict, sentence = '', errors = 0, done = 0 } = ask ?? {};
  if (errors > 0)
    return { state: errors > 1 ? 'shut' : 'running', sentence: `look ${done + 1} cannot be had (${errors} tries): ${sentence}` };
  if (verdict === 'pass') return { state: 'open', sentence };
  if (verdict === 'fail') return { state: 'failed', sentence };
  if (verdict === 'inconclusive') return { state: 'shut', sentence: `inconclusive: ${sentence}` };
  return { state: 'running', sentence: done === 0 ? 'no look has been taken yet' : `look ${done}: ${sentence}` };
}

function judgeWebhook({ failureLimit, intervalMs }: Extract<Gate, { kind: 'webhook' }>, ask: Ask | undefined): GateFact {
  const { verdict, sentence = '', errors = 0, refusals = 0 } = ask ?? {};
  if (verdict === 'open') return { state: 'open', sentence };
  if (errors > 0) return { state: errors > 1 ? 'shut' : 'running', sentence: `cannot be asked (${errors} tries): ${sentence}` };
  if (verdict !== 'refused') return { state: 'running', sentence: 'has not been asked yet' };
  const state = refusals >= failureLimit ? 'failed' : 'shut';
  return { state, sentence: `${sentence}, ${refusals} of ${failureLimit} in a row; asked each ${formatDuration(intervalMs)}` };
}
