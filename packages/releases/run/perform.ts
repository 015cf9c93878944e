import { isOpsError, OpsError } from '#core/errors.ts';
import type { Write } from '#ports/table.ts';
import { isSameTraffic, type TrafficDriver, type TrafficState, type TrafficTarget } from '#ports/traffic.ts';
import type { Gate } from '#releases/application/gate.ts';
import type { ReleaseEvent } from '#releases/plan/plan-release.ts';
import { gatesInQuestion } from '#releases/plan/steps.ts';
import { type Ask, carriedBy, type Release, type TrafficIntent } from '#releases/release/release.ts';
import { lookWrite, readLookState } from '#releases/release/release-store.ts';
import type { Slot } from '#releases/release/slot.ts';
import type { AdvanceDeps } from './run-deps.ts';

/** What came of something that was done, and what is stored with it. */
export interface Performed {
  readonly event: ReleaseEvent;
  readonly writes: readonly Write[];
}

const MAX_RESPONSE_BYTES = 4_096;
const MAX_CHARS = 300;

export type TrafficEvent = Extract<ReleaseEvent, { kind: 'traffic' | 'traffic-failed' }>;

/** Does to the traffic what the release means to do. */
export async function performTraffic(deps: AdvanceDeps, release: Release, slot: Slot): Promise<TrafficEvent | undefined> {
  const { intent, plan, tenant, application, environment } = release;
  if (!intent) return undefined;
  try {
    const driver = plan.driver ? deps.drivers(plan.driver.type) : trackedTraffic(release, slot);
    if (!driver) throw new OpsError('missing', `there is no driver ${plan.driver?.type} here`);
    const target = { tenant, application, environment, settings: plan.driver?.settings ?? {} };
    return { kind: 'traffic', intent: intent.number, ...(await deps.bounded(perform(driver, target, release, intent))) };
  } catch (error) {
    if (!isOpsError(error)) throw error;
    return { kind: 'traffic-failed', intent: intent.number, error: error.kind, message: sentenceOf(error) };
  }
}

/** With what to do about it: whoever reads where a release stands sees nothing else of the error. */
function sentenceOf({ message, hint }: OpsError): string {
  return (hint ? `${message} (${hint.replace(/\.$/, '')})` : message).slice(0, MAX_CHARS);
}

async function perform(driver: TrafficDriver, target: TrafficTarget, release: Release, intent: TrafficIntent) {
  switch (intent.kind) {
    case 'capture': {
      const captured = await driver.capture(target);
      return { captured, traffic: await driver.read(target) };
    }
    case 'shift':
      return { traffic: await driver.shift(target, intent.from, intent.to) };
    case 'watch':
      return { traffic: await driver.read(target) };
    case 'restore': {
      const now = intent.onlyIfCarrying ? await driver.read(target) : undefined;
      if (now && carriedBy(release.version, now) === 0 && !isAsBefore(release, now)) return { traffic: now };
      return { traffic: await driver.restore(target, release.captured ?? {}) };
    }
  }
}

/** Nobody's change is undone by a restore then, and what is not to be seen in the weights goes back as well: a flag that is off is still bound. */
function isAsBefore({ stable }: Release, now: TrafficState): boolean {
  return stable !== undefined && isSameTraffic(now, { stable, weight: 0 });
}

/** Where nothing here shifts traffic, whoever deploys does what the release says: it is as the release has it. */
function trackedTraffic({ traffic, stable }: Release, slot: Slot): TrafficDriver {
  const before: TrafficState = { stable: stable ?? slot.promoted?.version ?? 'none', weight: 0 };
  return {
    read: async () => traffic ?? before,
    capture: async () => ({}),
    shift: async (_, __, to) => to,
    restore: async () => before,
  };
}

/** Asks what a gate waits for: the judge, or somebody's webhook. */
export async function performAsk(deps: AdvanceDeps, release: Release, key: string): Promise<Performed | undefined> {
  const ask = release.asks[key];
  const gate = gatesInQuestion(release).find((each) => each.key === key);
  if (!ask?.pending || !gate) return undefined;
  const { run } = ask;
  const { number, toMs } = ask.pending;
  try {
    if (gate.kind === 'analysis') return await lookAt(deps, release, gate, ask, number, toMs);
    if (gate.kind === 'webhook') return { event: await callWebhook(deps, release, gate, { key, run, number }), writes: [] };
    return undefined;
  } catch (error) {
    if (!isOpsError(error)) throw error;
    return { event: { kind: 'ask-failed', key, run, number, message: sentenceOf(error) }, writes: [] };
  }
}

async function lookAt(
  deps: AdvanceDeps,
  release: Release,
  gate: Extract<Gate, { kind: 'analysis' }>,
  { key, run, fromMs }: Ask,
  look: number,
  toMs: number,
): Promise<Performed> {
  const { tenant, id, application, environment, version, stable = '', commit, plan } = release;
  const of = { tenant, id, key, run };
  const state = look > 1 ? await readLookState(deps.table, of, look - 1) : undefined;
  const variables = { application, environment, version, canary: version, stable, commit, release: id };
  const request = { tenant, analysis: plan.analyses[gate.analysis] ?? null, variables, fromMs, toMs, look, state };
  const result = await deps.bounded(deps.analyze(request));
  const event = { kind: 'judged', key, run, number: look, judgement: result.judgement } as const;
  return { event, writes: [lookWrite(of, look, result.judgement, result.state)] };
}

/** The same call has the same key however often it is made, so that the other side can tell. */
async function callWebhook(
  deps: AdvanceDeps,
  release: Release,
  { url, headers, timeoutMs, name }: Extract<Gate, { kind: 'webhook' }>,
  of: { readonly key: string; readonly run: number; readonly number: number },
): Promise<ReleaseEvent> {
  const { id, application, environment, version, commit, step, position, traffic } = release;
  const idempotencyKey = `${id}/${of.key}/${of.run}/${of.number}`;
  const where = { step: step + 1, position, weight: traffic?.weight ?? 0 };
  const response = await deps.bounded(
    deps.outgoing.send({
      method: 'POST',
      url,
      headers: { ...headers, 'content-type': 'application/json', 'idempotency-key': idempotencyKey },
      body: JSON.stringify({ release: id, application, environment, version, commit, ...where, url: deps.releaseUrl(id) }),
      timeoutMs,
      maxResponseBytes: MAX_RESPONSE_BYTES,
      followRedirects: false,
    }),
  );
  const { status } = response;
  return { kind: 'answered', ...of, isOpen: status >= 200 && status < 300, sentence: `${name} answered ${status}` };
}
