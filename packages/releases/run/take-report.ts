import { createHash } from 'node:crypto';
import { isOpsError } from '#core/errors.ts';
import { retry } from '#core/retry.ts';
import { DAY_MS } from '#core/time.ts';
import type { CiReport } from '#model/ci-report.ts';
import type { Application, Environment } from '#releases/application/application.ts';
import { recordCheck } from '#releases/release/checks.ts';
import { listActive, readRelease } from '#releases/release/release-store.ts';
import { COMMIT_ID, COMMIT_RULE, VERSION_NAME, VERSION_RULE } from '#releases/release/version-name.ts';
import { registerVersion } from '#releases/release/versions.ts';
import { applyEvent } from './commit-plan.ts';
import { type RefusedRequest, refuseRelease } from './refuse-release.ts';
import type { StartDeps } from './run-deps.ts';
import { startRelease } from './start-release.ts';

const KEPT_MS = 30 * DAY_MS;

/** What was made of a report. */
export interface TakenReport {
  /** It had been taken before. */
  readonly isRepeated: boolean;
  /** Ids of the releases that it started, joined or decided. */
  readonly releases: readonly string[];
  /** What was not done, and why. */
  readonly refusals: readonly string[];
}

/**
 * Takes what CI has said, once for each delivery. Everything that it leads to can be done again without harm, and is remembered as done
 * after it: a crash in between does it again. `atMs` is when it came, for reports that do not say when it happened.
 */
export async function takeReport(deps: StartDeps, tenant: string, report: CiReport, atMs: number): Promise<TakenReport> {
  const key = { pk: `releases/deliveries/${tenant}`, sk: hashReport(report) };
  if (await retry(() => deps.table.get(key))) return { isRepeated: true, releases: [], refusals: [] };
  const all = await deps.applications(tenant);
  const meant = all.filter(({ name, repositories }) => repositories.includes(report.repository) && (report.application ?? name) === name);
  const taken = await TAKERS[report.kind](deps, { tenant, report, atMs, applications: meant });
  if (report.kind === 'release-requested' && taken.releases.length === 0)
    await refuseRelease(deps, tenant, describeRequest(report, meant), key.sk, taken.refusals.join('; '));
  await retry(() => deps.table.put({ ...key, expiresAtS: Math.ceil((deps.now() + KEPT_MS) / 1_000) }));
  return { isRepeated: false, ...taken };
}

/** A name that was sent empty is none. */
function describeRequest(report: CiReport, meant: readonly Application[]): RefusedRequest {
  const { repository, application, environment, commit, version = commit, reply } = report;
  const isConfigured = meant.some(({ environments }) => environments.some(({ name }) => name === (environment ?? name)));
  return { application: application || repository, environment: environment || 'none', isConfigured, version, commit, reply };
}

/** One delivery can bring several reports, of several checks. */
function hashReport({ provider, delivery, kind, application, environment, check, commit }: CiReport): string {
  const parts = [provider, delivery, kind, application, environment, check?.name, commit];
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}

interface Taking {
  readonly tenant: string;
  readonly report: CiReport;
  readonly atMs: number;
  readonly applications: readonly Application[];
}
type Taken = Omit<TakenReport, 'isRepeated'>;

const TAKERS: Readonly<Record<CiReport['kind'], (deps: StartDeps, taking: Taking) => Promise<Taken>>> = {
  'release-requested': takeRequest,
  'check-reported': takeCheck,
  'version-seen': takeVersion,
  approved: takeDecision,
  rejected: takeDecision,
};

async function takeRequest(deps: StartDeps, taking: Taking): Promise<Taken> {
  const { report, applications } = taking;
  const releases: string[] = [];
  const refusals: string[] = [];
  if (applications.length === 0) refusals.push(`no application here is of ${report.repository}`);
  for (const application of applications) {
    const environment = findRequested(application, report.environment);
    const refusal = typeof environment === 'string' ? environment : findRefusal(application, report);
    if (refusal !== undefined || typeof environment === 'string') refusals.push(String(refusal));
    else await startOne(deps, taking, application, environment, { releases, refusals });
  }
  return { releases, refusals };
}

/** The environment that is asked for, or the first that may be; else why not. */
function findRequested({ name, environments }: Application, asked: string | undefined): Environment | string {
  const open = environments.filter(({ starts }) => starts.includes('requested'));
  if (asked === undefined) return open[0] ?? `${name} has no environment that CI may ask for`;
  const found = environments.find((each) => each.name === asked);
  if (!found) return `${name} has no environment ${asked}`;
  return open.includes(found) ? found : `${name} in ${asked} is not started on request`;
}

function findRefusal({ name, refs }: Application, { ref, commit, version }: CiReport): string | undefined {
  if (!VERSION_NAME.test(version ?? commit)) return `the version of ${name} ${VERSION_RULE}`;
  if (!COMMIT_ID.test(commit)) return `the commit of ${name} ${COMMIT_RULE}`;
  if (refs.length === 0 || refs.some((pattern) => matchesRef(pattern, ref ?? ''))) return undefined;
  return `${ref ?? 'a version without branch or tag'} is none that ${name} is released from: ${refs.join(', ')}`;
}

/** `*` stands for any characters. */
function matchesRef(pattern: string, ref: string): boolean {
  const [first = '', ...rest] = pattern.split('*');
  if (rest.length === 0) return pattern === ref;
  if (!ref.startsWith(first)) return false;
  const last = rest.pop() as string;
  let at = first.length;
  for (const part of rest) {
    const found = ref.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return ref.length - last.length >= at && ref.endsWith(last);
}

async function startOne(
  deps: StartDeps,
  { tenant, report }: Taking,
  application: Application,
  environment: Environment,
  into: { readonly releases: string[]; readonly refusals: string[] },
): Promise<void> {
  const { provider, delivery, commit, ref, artifactDigest, sbomUrl, reply, actor = provider } = report;
  const request = {
    tenant,
    application: application.name,
    environment: environment.name,
    commit,
    ref,
    artifactDigest,
    sbomUrl,
    reply,
    actor,
  };
  try {
    const started = await startRelease(
      deps,
      { ...request, version: report.version ?? commit, delivery: `${provider}:${delivery}` },
      environment.plan,
    );
    into.releases.push(started.id);
  } catch (error) {
    if (!isOpsError(error) || error.kind === 'unavailable') throw error;
    into.refusals.push(error.message);
  }
}

async function takeCheck({ table }: StartDeps, { tenant, report, atMs, applications }: Taking): Promise<Taken> {
  const { check, commit, occurredAt } = report;
  if (!check || commit === '' || !COMMIT_ID.test(commit)) return { releases: [], refusals: ['a check without a name, or of no commit'] };
  const told = {
    ...check,
    name: check.name.toWellFormed(),
    atMs: Math.min(occurredAt === undefined ? atMs : Date.parse(occurredAt), atMs),
  };
  for (const { name: application } of applications) await recordCheck(table, { tenant, application, commit }, told);
  return { releases: [], refusals: [] };
}

async function takeVersion(deps: StartDeps, taking: Taking): Promise<Taken> {
  const { tenant, report, atMs, applications } = taking;
  const { commit, ref, artifactDigest, sbomUrl } = report;
  const releases: string[] = [];
  const refusals: string[] = [];
  for (const application of applications) {
    const refusal = findRefusal(application, report);
    if (refusal !== undefined) {
      refusals.push(refusal);
      continue;
    }
    try {
      const version = { version: report.version ?? commit, commit, ref, artifactDigest, sbomUrl, seenAtMs: atMs };
      await registerVersion(deps.table, { tenant, application: application.name }, version);
    } catch (error) {
      if (!isOpsError(error, 'conflict')) throw error;
      refusals.push(error.message);
      continue;
    }
    const seen = application.environments.filter(({ starts }) => starts.includes('seen'));
    for (const environment of seen) await startOne(deps, taking, application, environment, { releases, refusals });
  }
  return { releases, refusals };
}

/** Decides releases of that version, or commit, that are under way. */
async function takeDecision(deps: StartDeps, { tenant, report, applications }: Taking): Promise<Taken> {
  const { commit, version, environment, actor = report.provider, kind } = report;
  const names = applications.map(({ name }) => name);
  const releases: string[] = [];
  const refusals: string[] = [];
  for (const active of (await listActive(deps.table)).filter((each) => each.tenant === tenant)) {
    const { release } = await readRelease(deps.table, tenant, active.id);
    const isMeant = release.version === version || (commit !== '' && release.commit === commit);
    if (!isMeant || !names.includes(release.application) || (environment ?? release.environment) !== release.environment) continue;
    try {
      const command = kind === 'approved' ? 'approve' : 'reject';
      await applyEvent(deps, tenant, release.id, () => ({ kind: 'command', command, actor, why: `at ${report.provider}` }));
      releases.push(release.id);
    } catch (error) {
      if (!isOpsError(error) || error.kind === 'unavailable') throw error;
      refusals.push(error.message);
    }
  }
  return { releases, refusals };
}
