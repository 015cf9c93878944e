import { isLambda } from '#config/deployment.ts';
import type { AwsNeeds } from './aws-deps.ts';
import type { FunctionDeps } from './deps.ts';

/** What a scheduled or invoked function is handed: as of when, for whom alone, and whatever is its own. */
export interface FunctionEvent {
  readonly at?: string | undefined;
  readonly onlyTenant?: string | undefined;
  readonly [field: string]: unknown;
}

/** A function as both worlds run it: on Lambda by its handler, embedded by the registry. */
export type OpsFunction = (deps: FunctionDeps, event: FunctionEvent) => Promise<unknown>;

/** What Lambda tells of an invocation. */
export interface LambdaContext {
  getRemainingTimeInMillis(): number;
}

/** The Lambda handler of a function. */
export function onLambda(run: OpsFunction, needs: AwsNeeds = {}): (event: FunctionEvent, context: LambdaContext) => Promise<unknown> {
  const open = openOnLambda(needs);
  return async (event, context) => {
    const deps: FunctionDeps = { ...asOf(await open(), event), remainingMs: () => context.getRemainingTimeInMillis() };
    return run(deps, event);
  };
}

/**
 * The dependencies of a Lambda process, as of each call. The AWS adapters are opened while the process starts; embedded, where
 * nobody calls the handler, they are never loaded.
 */
export function openOnLambda(needs: AwsNeeds): () => Promise<FunctionDeps> {
  let loading: Promise<() => Promise<FunctionDeps>> | undefined;
  const open = async () => {
    loading ??= import('./aws-deps.ts').then((module) => module.openAwsDeps(needs, Date.now, writeLogLine));
    return (await loading)();
  };
  if (isLambda()) open().catch(() => undefined); // the first call meets the same error, and can tell it
  return open;
}

/** One line to the function's log, without the runtime's own words around it. */
export function writeLogLine(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** The same dependencies with their clock set to the event's `at` and storage confined to its `onlyTenant`, where it has them. */
export function asOf(deps: FunctionDeps, { at, onlyTenant }: FunctionEvent): FunctionDeps {
  if (at === undefined && onlyTenant === undefined) return deps;
  const atMs = at === undefined ? undefined : Date.parse(at);
  const now = atMs === undefined ? deps.now : () => atMs;
  return { ...deps, now, storage: { ...deps.storage, now, onlyTenant } };
}
