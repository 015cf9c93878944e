import { unpackBytes } from '#alerts/packed-bytes.ts';
import type { RuleState } from '#alerts/rules/rule-state.ts';
import { decodeRuleState } from '#alerts/rules/rule-state-codec.ts';
import type { Blobs } from '#ports/blobs.ts';
import type { GroupPointer } from './group-pointer.ts';

/** What the rules of a group remember; nothing of a group that was never evaluated. */
export async function readStates(deps: { blobs: Blobs }, pointer: GroupPointer | undefined): Promise<readonly RuleState[]> {
  const bytes = pointer && (await unpackBytes(deps, pointer.state));
  return bytes ? decodeRuleState(bytes) : [];
}
