import { expect, it } from 'vitest';
import { CiReport } from '#model/ci-report.ts';
import { planAnswers } from '#releases/ci/plan-answers.ts';
import { phaseOf, ReleaseEvent } from '#releases/ci/release-event.ts';
import { takeReport } from '#releases/run/take-report.ts';
import { createWorld, shop } from '#test/releases/run/release-world.ts';

/** What a sender can say of a release that nobody has heard of, at its longest and its shortest. */
const reports: [string, Partial<CiReport>][] = [
  ['a path of nested groups', { repository: `acme/${'group/'.repeat(60)}shop` }],
  ['an environment without a name', { repository: 'acme/other', environment: '' }],
  ['an application without a name', { repository: 'acme/shop', application: '' }],
  ['no commit and no version', { repository: 'acme/other', commit: '' }],
  [
    'the longest of everything',
    { repository: 'r'.repeat(400), environment: 'e'.repeat(200), application: 'a'.repeat(200), version: 'v'.repeat(200) },
  ],
];

it.each(reports)('a request that is refused is answered: of %s', async (_name, more) => {
  const world = createWorld({ applications: [shop('strategy: { canary: AllAtOnce }')] });
  const reply = { provider: 'gitlab', project: '7', sha: 'a'.repeat(40), environment: 'production', deploymentId: '1', approval: 'needed' };
  const report = CiReport.parse({ provider: 'gitlab', delivery: 'd', kind: 'release-requested', commit: 'a'.repeat(40), reply, ...more });
  expect((await takeReport(world.deps, 'default', report, world.clock.nowMs)).releases).toEqual([]);
  const [refused] = world.events();
  const event = ReleaseEvent.parse(refused?.detail);
  const answers = planAnswers(event, phaseOf(String(refused?.detailType)) ?? 'waiting');
  expect(answers.find(({ kind }) => kind === 'gitlab-approval')).toMatchObject({ state: 'rejected' });
});
