import { checkRepository } from '#backups/check/check-repository.ts';
import { DAY_MS } from '#core/time.ts';
import { type JobDeps, openPlannedRepository } from './job-deps.ts';
import type { Performed } from './run-jobs.ts';

const PROBLEMS_TOLD = 50;

/** Checks a repository: every reference, and today's part of all data, so that all of it is read in so many days. */
export async function performCheck(deps: JobDeps, repositoryName: string): Promise<Performed> {
  const { repository, plan } = await openPlannedRepository(deps, repositoryName);
  const of = plan.readAllInChecks;
  const part = (Math.floor(deps.clock() / DAY_MS) % of) + 1;
  const { problems, snapshots, packs, readPacks } = await checkRepository({ repository, data: { part, of } });
  const [first] = problems;
  const sentence = first
    ? `${problems.length} problems; the first: ${first.object}: ${first.message}`
    : `${snapshots} snapshots and ${packs} packs are sound; ${readPacks} packs were read whole, part ${part} of ${of}`;
  const result = {
    problems: problems.slice(0, PROBLEMS_TOLD).map((problem) => ({ ...problem })),
    problemCount: problems.length,
    snapshots,
    packs,
    readPacks,
  };
  return { state: 'done', ok: problems.length === 0, sentence, result };
}
