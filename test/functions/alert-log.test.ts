import { expect, it } from 'vitest';
import { createLogObserver } from '#functions/alert-log.ts';

function setUp() {
  const lines: string[] = [];
  const observer = createLogObserver(
    () => 1_000,
    'quarterdeck-test-alerts-evaluate',
    (line) => lines.push(line),
  );
  return { observer, told: () => lines.map((line) => JSON.parse(line)) };
}

const report = { tenant: 'team-a', namespace: 'rules/a.yaml', group: 'a', at: '2026-11-23T10:00:00Z', samples: 0, changes: 0 };

it('what goes well writes no line', () => {
  const { observer, told } = setUp();
  observer.evaluated({ evaluations: [{ ...report, errors: [] }], skipped: 0 }, 0);
  observer.dispatched([]);
  observer.delivered({ sent: 3, retried: 1, gaveUp: 0, superseded: 0 });
  expect(told()).toEqual([]);
});

it('rules that failed are counted by CloudWatch, with the groups and their first errors', () => {
  const { observer, told } = setUp();
  const failing = { ...report, errors: ['many-to-many matching not allowed', 'no'] };
  observer.evaluated({ evaluations: [failing, { ...report, errors: [] }], skipped: 0 }, 0);
  expect(told()).toEqual([
    {
      _aws: {
        Timestamp: 1_000,
        CloudWatchMetrics: [
          { Namespace: 'Quarterdeck', Dimensions: [['FunctionName']], Metrics: [{ Name: 'RulesFailed', Unit: 'Count' }] },
        ],
      },
      FunctionName: 'quarterdeck-test-alerts-evaluate',
      RulesFailed: 2,
      rules: [{ tenant: 'team-a', namespace: 'rules/a.yaml', group: 'a', at: report.at, error: 'many-to-many matching not allowed' }],
    },
  ]);
});

it('a line names fifty groups at most', () => {
  const { observer, told } = setUp();
  observer.evaluated({ evaluations: Array.from({ length: 80 }, () => ({ ...report, errors: ['no'] })), skipped: 0 }, 0);
  expect(told()[0]).toMatchObject({ RulesFailed: 80, rules: { length: 50 } });
});

it('what was skipped and what was given up are metrics of their own', () => {
  const { observer, told } = setUp();
  observer.evaluated({ evaluations: [], skipped: 7 }, 0);
  observer.delivered({ sent: 0, retried: 0, gaveUp: 2, superseded: 0 });
  expect(told()).toMatchObject([{ EvaluationsSkipped: 7 }, { NotificationsGivenUp: 2 }]);
});
