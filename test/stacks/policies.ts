import type { Resource } from './aws-mocks.ts';

/** One statement of a policy of IAM, lists always as lists. */
export interface Statement {
  /** The resource that carries the policy. */
  readonly of: string;
  readonly effect: string;
  readonly actions: readonly string[];
  readonly resources: readonly string[];
  readonly principals: readonly string[];
  readonly condition: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

interface Document {
  readonly Statement: readonly {
    readonly Effect: string;
    readonly Action?: string | readonly string[];
    readonly Resource?: string | readonly string[];
    readonly Principal?: string | Readonly<Record<string, string | readonly string[]>>;
    readonly Condition?: Statement['condition'];
  }[];
}

/** Every statement of every policy: of roles, whom they trust and what they may, of queues and buckets. */
export function statementsOf(resources: readonly Resource[]): Statement[] {
  return resources.flatMap(({ name, inputs }) => {
    const inline = (inputs.inlinePolicies ?? []) as readonly { readonly policy: string }[];
    const documents = [inputs.policy, inputs.assumeRolePolicy, ...inline.map(({ policy }) => policy)].filter((text) => text !== undefined);
    return documents.flatMap((text) => readDocument(name, typeof text === 'string' ? (JSON.parse(text) as Document) : (text as Document)));
  });
}

function readDocument(of: string, document: Document): Statement[] {
  return document.Statement.map(({ Effect, Action, Resource, Principal, Condition }) => ({
    of,
    effect: Effect,
    actions: list(Action),
    resources: list(Resource),
    principals: typeof Principal === 'string' ? [Principal] : Object.values(Principal ?? {}).flatMap(list),
    condition: Condition ?? {},
  }));
}

function list(value: string | readonly string[] | undefined): readonly string[] {
  if (value === undefined) return [];
  return typeof value === 'string' ? [value] : value;
}
