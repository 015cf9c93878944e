import { expect } from 'vitest';
import type { Resource } from './aws-mocks.ts';
import { type Statement, statementsOf } from './policies.ts';
import { synthesize } from './synthesize.ts';

type Inputs = Resource['inputs'];

/** What a stage's deployment consists of, by type. */
export interface Deployed {
  /** In the order of their names. */
  all(type: string): readonly Inputs[];
  named(type: string): readonly Resource[];
  /** The one resource of its type. */
  only(type: string): Inputs;
  readonly statements: readonly Statement[];
}

/** Synthesizes a stage. */
export async function deploy(stage: string): Promise<Deployed> {
  const resources = await synthesize(stage);
  const named = (type: string) => resources.filter((resource) => resource.type === `aws:${type}`);
  const all = (type: string) => named(type).map(({ inputs }) => inputs);
  return {
    named,
    all,
    only(type) {
      const found = all(type);
      expect(found).toHaveLength(1);
      return found[0];
    },
    statements: statementsOf(resources),
  };
}

/** A function's, rule's or alarm's own name, out of its full one or its ARN. */
export function ownName(fullName: string): string {
  if (/^(?:.*:function:)?CodeDeployHook_quarterdeck-[a-z]+$/.test(fullName)) return 'releases-codedeploy-hook';
  return /^(?:.*:function:)?quarterdeck-[a-z]+-(.*)$/.exec(fullName)?.[1] ?? fullName;
}

/** Matches the ARN of the one dead-letter queue. */
export const deadLetters = expect.stringMatching(/:quarterdeck-test-DeadLettersQueue-/);
