import { createApi, type RouteGroup } from '#api/create-api.ts';
import { authenticateByTable } from '#api/table-keys.ts';
import type { AwsNeeds } from './aws-deps.ts';
import type { FunctionDeps } from './deps.ts';
import { openOnLambda, writeLogLine } from './lambda.ts';

/** Answers a request; one that cannot be read, or a function that cannot start, is answered too. */
export type Respond = (readRequest: () => Request) => Promise<Response>;

/** Serves groups of routes from a Lambda function, keys looked up in the table. The routes are made anew with a new configuration. */
export function respondOnLambda(groups: (deps: FunctionDeps) => readonly RouteGroup[], needs: AwsNeeds = {}): Respond {
  const open = openOnLambda(needs);
  let served: { readonly deps: FunctionDeps; readonly app: ReturnType<typeof createApi> } | undefined;

  return async (readRequest) => {
    let request: Request;
    try {
      request = readRequest();
    } catch (error) {
      return failure(400, 'input', `the request is not HTTP as it is known here: ${(error as Error).message}`);
    }
    try {
      const deps = await open();
      if (served?.deps !== deps) served = { deps, app: serve(deps, groups(deps)) };
      return await served.app.fetch(request);
    } catch (error) {
      logDefect(error);
      return failure(503, 'unavailable', 'the function cannot start; its log says why');
    }
  };
}

function serve(deps: FunctionDeps, groups: readonly RouteGroup[]) {
  const { now, newId } = deps;
  const authenticate = authenticateByTable(deps.table, now);
  return createApi({ authenticate, newId, now, observe() {}, report: logDefect }, groups);
}

function logDefect(error: unknown, requestId?: string): void {
  const told = error instanceof Error ? (error.stack ?? error.message) : String(error);
  writeLogLine(JSON.stringify({ level: 'ERROR', message: told, requestId }));
}

function failure(status: 400 | 503, kind: string, message: string): Response {
  return Response.json({ error: { kind, message } }, { status, headers: status === 503 ? { 'retry-after': '5' } : {} });
}
