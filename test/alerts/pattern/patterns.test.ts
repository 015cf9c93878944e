import { describe, expect, it } from 'vitest';
import type { Pattern, SequencePattern } from '#alerts/pattern/pattern.ts';
import { condition, minute, playLines } from './play-pattern.ts';

const [A, B, C] = [condition('A'), condition('B'), condition('C')];
const sequence = (more: Partial<SequencePattern> = {}): SequencePattern => ({
  form: 'sequence',
  steps: [
    { ...A, withinMs: undefined },
    { ...B, withinMs: 3 * minute },
  ],
  withinMs: undefined,
  without: [],
  settleMs: 0,
  ...more,
});
const steps = (...names: string[]) => names.map((name) => ({ ...condition(name), withinMs: undefined }));

/** A column is an evaluation, one a minute; `.` is a condition that does not hold, and in `found` a pattern that is not there. */
const table: readonly [string, Pattern, Record<string, string>, string][] = [
  ['finds A and then B', sequence(), { A: '.1', B: '...1' }, '...F'],
  ['goes on finding it while B holds', sequence(), { A: '1', B: '.111.' }, '.FFF.'],
  ['finds nothing where B comes first', sequence(), { A: '..1', B: '1..' }, '...'],
  ['does not take a B that held all along for one that follows', sequence(), { A: '..1..', B: '11111' }, '.....'],
  ['takes A and B of one evaluation for A and then B', sequence(), { A: '..1', B: '..1' }, '..F'],
  ['finds nothing where B comes too late', sequence(), { A: '1', B: '....1' }, '.....'],
  ['finds B that comes just in time', sequence(), { A: '1', B: '...1' }, '...F'],
  ['counts the time from where A began last', sequence(), { A: '1.1', B: '.....1' }, '.....F'],
  ['finds it again the next time', sequence(), { A: '1..1', B: '.1..1' }, '.F..F'],
  ['is there again where B comes again in time', sequence(), { A: '1', B: '.1.1.' }, '.F.F.'],
  ['bounds the whole of it', sequence({ steps: steps('A', 'B', 'C'), withinMs: 3 * minute }), { A: '1', B: '..1', C: '....1' }, '.....'],
  ['finds three steps in time', sequence({ steps: steps('A', 'B', 'C'), withinMs: 3 * minute }), { A: '1', B: '..1', C: '...1' }, '...F'],
  ['needs the order', sequence({ steps: steps('A', 'B', 'C') }), { A: '1', B: '...1', C: '..1.' }, '....'],
  ['needs a beginning for each step of one expression', sequence({ steps: steps('A', 'A', 'A') }), { A: '1.1..1' }, '.....F'],
  ['is void where C holds in between', sequence({ without: [C] }), { A: '1', B: '..1', C: '.1' }, '...'],
  ['is void where C holds with B', sequence({ without: [C] }), { A: '1', B: '..1', C: '..1' }, '...'],
  ['does not care for C before A', sequence({ without: [C] }), { A: '.1', B: '..1', C: '1' }, '..F'],
  ['starts again after C', sequence({ without: [C] }), { A: '1.1', B: '...1', C: '.1' }, '...F'],
  ['waits for what may settle it', sequence({ without: [C], settleMs: 2 * minute }), { A: '1', B: '.1' }, '..'],
  ['is found once it has settled', sequence({ without: [C], settleMs: 2 * minute }), { A: '1', B: '.1', X: '.....' }, '...F.'],
  ['is void where C holds while it settles', sequence({ without: [C], settleMs: 2 * minute }), { A: '1', B: '.1', C: '...1.' }, '.....'],
  [
    'is not put off by another one while it settles',
    sequence({ without: [C], settleMs: 2 * minute }),
    { A: '1.1', B: '.1.1..', X: '......' },
    '...F..',
  ],
  [
    'finds what did not follow, as a step without another',
    sequence({ steps: steps('A'), without: [B], settleMs: 3 * minute }),
    { A: '1....1', B: '.......1..' },
    '...F......',
  ],

  [
    'counts beginnings',
    { form: 'count', condition: A, counts: 'beginnings', times: 3, windowMs: 5 * minute },
    { A: '1.1.1....' },
    '....F....',
  ],
  [
    'does not count what holds on',
    { form: 'count', condition: A, counts: 'beginnings', times: 2, windowMs: 9 * minute },
    { A: '11111' },
    '.....',
  ],
  [
    'counts evaluations',
    { form: 'count', condition: A, counts: 'evaluations', times: 3, windowMs: 4 * minute },
    { A: '11.1....' },
    '...F....',
  ],
  [
    'finds 3 of 4 while it is so',
    { form: 'count', condition: A, counts: 'evaluations', times: 3, windowMs: 4 * minute },
    { A: '1.11.11' },
    '...F.FF',
  ],

  ['finds flapping', { form: 'flapping', condition: A, changes: 4, windowMs: 5 * minute }, { A: '.1.1.....' }, '....FF...'],
  [
    'knows no change before the first evaluation',
    { form: 'flapping', condition: A, changes: 2, windowMs: 9 * minute },
    { A: '11.1' },
    '...F',
  ],
  [
    'takes slow changes for none',
    { form: 'flapping', condition: A, changes: 3, windowMs: 4 * minute },
    { A: '.11..11..11' },
    '...........',
  ],

  [
    'misses what was there, after a time, until it is back',
    { form: 'heartbeat', condition: A, missingForMs: 2 * minute, seenForMs: 0, forgetAfterMs: 99 * minute },
    { A: '1.....1' },
    '...FFF.',
  ],
  [
    'does not miss what is away for a moment',
    { form: 'heartbeat', condition: A, missingForMs: 2 * minute, seenForMs: 0, forgetAfterMs: 99 * minute },
    { A: '1..1..1' },
    '.......',
  ],
  [
    'does not expect what was never there for long enough',
    { form: 'heartbeat', condition: A, missingForMs: minute, seenForMs: 3 * minute, forgetAfterMs: 99 * minute },
    { A: '11.....' },
    '.......',
  ],
  [
    'forgets what is gone for too long',
    { form: 'heartbeat', condition: A, missingForMs: minute, seenForMs: 0, forgetAfterMs: 4 * minute },
    { A: '1.......' },
    '..FFF...',
  ],

  [
    'finds a rise from the lowest of the window',
    { form: 'change', condition: A, direction: 'rise', by: 4, isRelative: false, windowMs: 3 * minute },
    { A: '5123568' },
    '....FFF',
  ],
  [
    'does not take a slow rise for one',
    { form: 'change', condition: A, direction: 'rise', by: 4, isRelative: false, windowMs: 3 * minute },
    { A: '1234567' },
    '.......',
  ],
  [
    'does not take a fall for a rise',
    { form: 'change', condition: A, direction: 'rise', by: 4, isRelative: false, windowMs: 9 * minute },
    { A: '9531' },
    '....',
  ],
  [
    'finds a fall',
    { form: 'change', condition: A, direction: 'fall', by: 4, isRelative: false, windowMs: 3 * minute },
    { A: '97531' },
    '..FFF',
  ],
  [
    'finds a fall by half',
    { form: 'change', condition: A, direction: 'either', by: 0.5, isRelative: true, windowMs: 3 * minute },
    { A: '8654' },
    '...F',
  ],
  [
    'has no share of nothing',
    { form: 'change', condition: A, direction: 'rise', by: 0.5, isRelative: true, windowMs: 3 * minute },
    { A: '01' },
    '..',
  ],
  [
    'looks past gaps',
    { form: 'change', condition: A, direction: 'either', by: 4, isRelative: false, windowMs: 3 * minute },
    { A: '1..6.' },
    '...F.',
  ],
  [
    'forgets what is older than the window',
    { form: 'change', condition: A, direction: 'either', by: 4, isRelative: false, windowMs: 2 * minute },
    { A: '1..6' },
    '....',
  ],

  ['finds what moved and stands', { form: 'stuck', condition: A, forMs: 2 * minute, while: undefined }, { A: '1233334' }, '....FF.'],
  ['leaves alone what never moved', { form: 'stuck', condition: A, forMs: 2 * minute, while: undefined }, { A: '11111' }, '.....'],
  ['takes a reset for a move', { form: 'stuck', condition: A, forMs: 2 * minute, while: undefined }, { A: '51111' }, '...FF'],
  ['forgets what goes away', { form: 'stuck', condition: A, forMs: 2 * minute, while: undefined }, { A: '12.2222' }, '.......'],
  [
    'needs the other condition for all of the time',
    { form: 'stuck', condition: A, forMs: 2 * minute, while: B },
    { A: '122222222', B: '11...1111' },
    '.......FF',
  ],
  ['is over once the other condition is', { form: 'stuck', condition: A, forMs: minute, while: B }, { A: '1222', B: '111.' }, '..F.'],
];

describe('a pattern', () => {
  it.each(table)('%s', async (_, pattern, lines, expected) => {
    expect((await playLines(pattern, lines)).found).toBe(expected);
  });
});

describe('the explanation', () => {
  const explained: readonly [string, Pattern, Record<string, string>, string][] = [
    [
      'names the steps and their times',
      sequence({ without: [C], settleMs: minute }),
      { A: '1', B: '.1', X: '...' },
      'A began at 1970-01-01T00:00:00Z, then B began at 1970-01-01T00:01:00Z, without C in between and for 1m after it',
    ],
    [
      'names how often',
      { form: 'count', condition: A, counts: 'evaluations', times: 2, windowMs: 5 * minute },
      { A: '1.1' },
      'A held at 2 evaluations within 5m, between 1970-01-01T00:00:00Z and 1970-01-01T00:02:00Z',
    ],
    [
      'names changes',
      { form: 'flapping', condition: A, changes: 2, windowMs: 5 * minute },
      { A: '.1.' },
      'A came or went 2 times within 5m, between 1970-01-01T00:01:00Z and 1970-01-01T00:02:00Z',
    ],
    [
      'names since when something is missing, and stays the same while it is',
      { form: 'heartbeat', condition: A, missingForMs: minute, seenForMs: 0, forgetAfterMs: 99 * minute },
      { A: '1.....' },
      'A was there since 1970-01-01T00:00:00Z and is missing since 1970-01-01T00:01:00Z, for 1m and more',
    ],
    [
      'names both values',
      { form: 'change', condition: A, direction: 'either', by: 2, isRelative: false, windowMs: 5 * minute },
      { A: '17' },
      'A rose from 1 at 1970-01-01T00:00:00Z to 7 within 5m',
    ],
    [
      'names where a counter stands and meanwhile',
      { form: 'stuck', condition: A, forMs: minute, while: B },
      { A: '122', B: '111' },
      'A moved before, and has stood at 2 since 1970-01-01T00:01:00Z, while B held',
    ],
  ];
  it.each(explained)('%s', async (_, pattern, lines, expected) => {
    expect((await playLines(pattern, lines)).last).toBe(expected);
  });
});
