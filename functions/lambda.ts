import type { FunctionDeps } from './deps.ts';

/** What a scheduled or invoked function is handed: as of when, and whatever is its own. */
export interface FunctionEvent {
  readonly at?: string | undefined;
  readonly [field: string]: unknown;
}

/** A function as both worlds run it: on Lambda by its handler, embedded by the registry. */
export type OpsFunction = (deps: FunctionDeps, event: FunctionEvent) => Promise<unknown>;

/**
 * The Lambda handler of a function. The AWS adapters are opened once per process, while it starts; embedded, where nobody calls
 * the handler, they are never loaded.
 */
export function onLambda(run: OpsFunction): (event: FunctionEvent) => Promise<unknown> {
  let opening: Promise<FunctionDeps> | undefined;
  return async (event) => {
    opening ??= import('./aws-deps.ts').then((module) => module.openAwsDeps());
    return run(asOf(await opening, event), event);
  };
}

/** The same dependencies with their clock set to the event's `at`, if it has one. */
export function asOf(deps: FunctionDeps, event: FunctionEvent): FunctionDeps {
  if (event.at === undefined) return deps;
  const atMs = Date.parse(event.at);
  const now = () => atMs;
  return { ...deps, now, storage: { ...deps.storage, now } };
}
