import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MAX_LABEL_SETS, observePattern } from '#alerts/pattern/observe-pattern.ts';
import type { Pattern } from '#alerts/pattern/pattern.ts';
import { seriesFromLabels } from '#model/series.ts';
import { condition, minute, play, playLines } from './play-pattern.ts';

const A = condition('A');
const B = condition('B');
const heartbeat: Pattern = { form: 'heartbeat', condition: A, missingForMs: minute, seenForMs: 0, forgetAfterMs: 9 * minute };
const stuck: Pattern = { form: 'stuck', condition: A, forMs: minute, while: undefined };
const inOrder: Pattern = {
  form: 'sequence',
  steps: [
    { ...A, withinMs: undefined },
    { ...B, withinMs: 2 * minute },
  ],
  withinMs: undefined,
  without: [],
  settleMs: 0,
};

/** A line of values from 1 to 9, and gaps. */
const line = fc.array(fc.constantFrom('.', ...'123456789'), { minLength: 1, maxLength: 40 }).map((letters) => letters.join(''));

const isThere = (letters: string, i: number) => i >= 0 && letters[i] !== '.' && letters[i] !== undefined;
const within = (i: number, minutes: number) => Array.from({ length: minutes }, (_, k) => i - k).filter((k) => k >= 0);

describe('what a pattern remembers is enough', () => {
  it('counts as one who sees all of the window', async () => {
    await fc.assert(
      fc.asyncProperty(line, fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 8 }), async (letters, times, window) => {
        for (const counts of ['beginnings', 'evaluations'] as const) {
          const counted = (i: number) => isThere(letters, i) && (counts === 'evaluations' || !isThere(letters, i - 1));
          const expected = [...letters].map((_, i) => (within(i, window).filter(counted).length >= times ? 'F' : '.')).join('');
          const { found } = await playLines({ form: 'count', condition: A, counts, times, windowMs: window * minute }, { A: letters });
          expect(found).toBe(expected);
        }
      }),
    );
  });

  it('finds flapping as one who sees all of the window', async () => {
    await fc.assert(
      fc.asyncProperty(line, fc.integer({ min: 2, max: 5 }), fc.integer({ min: 1, max: 8 }), async (letters, changes, window) => {
        const isChange = (i: number) => i > 0 && isThere(letters, i) !== isThere(letters, i - 1);
        const expected = [...letters].map((_, i) => (within(i, window).filter(isChange).length >= changes ? 'F' : '.')).join('');
        const { found } = await playLines({ form: 'flapping', condition: A, changes, windowMs: window * minute }, { A: letters });
        expect(found).toBe(expected);
      }),
    );
  });

  it('finds a change as one who sees all of the window', async () => {
    await fc.assert(
      fc.asyncProperty(line, fc.integer({ min: 1, max: 8 }), fc.integer({ min: 1, max: 8 }), async (letters, by, window) => {
        const values = (i: number) =>
          within(i, window + 1)
            .filter((k) => isThere(letters, k))
            .map((k) => Number(letters[k]));
        const expected = [...letters]
          .map((letter, i) => {
            if (letter === '.') return '.';
            const seen = values(i);
            return Number(letter) - Math.min(...seen) >= by || Math.max(...seen) - Number(letter) >= by ? 'F' : '.';
          })
          .join('');
        const change: Pattern = { form: 'change', condition: A, direction: 'either', by, isRelative: false, windowMs: window * minute };
        expect((await playLines(change, { A: letters })).found).toBe(expected);
      }),
    );
  });

  it('finds a sequence as one who sees all beginnings', async () => {
    await fc.assert(
      fc.asyncProperty(line, line, async (a, b) => {
        const begins = (letters: string, i: number) => isThere(letters, i) && !isThere(letters, i - 1);
        let holding = false;
        const expected = Array.from({ length: Math.max(a.length, b.length) }, (_, i) => {
          const isFound = begins(b, i) && within(i, 3).some((k) => begins(a, k));
          holding = isFound || (holding && isThere(b, i));
          return holding ? 'F' : '.';
        }).join('');
        expect((await playLines(inOrder, { A: a, B: b })).found).toBe(expected);
      }),
    );
  });

  it('treats each label set as if it were alone', async () => {
    await fc.assert(
      fc.asyncProperty(line, line, async (a, b) => {
        const both = Array.from({ length: Math.max(a.length, b.length) }, (_, i) => ({
          A: Object.fromEntries(
            Object.entries({ a, b }).flatMap(([key, letters]) => (isThere(letters, i) ? [[key, Number(letters[i])]] : [])),
          ),
        }));
        for (const pattern of [heartbeat, stuck]) {
          const together = await play(pattern, both);
          for (const key of ['a', 'b']) {
            const alone = await play(
              pattern,
              both.map(({ A: values }) => ({ A: key in values ? { [key]: values[key] as number } : {} })),
            );
            const own = together.map(({ found }) => found.filter((text) => text.includes(`"${key}"`)));
            expect(own).toEqual(alone.map(({ found }) => found));
          }
        }
      }),
    );
  });
});

describe('label sets', () => {
  it('belong together by the labels that by names', async () => {
    const played = await play(inOrder, [{ A: { a: 1 } }, { B: { b: 1 } }], []);
    expect(played[1]?.found).toEqual(['{} 60']);
  });

  it('are kept apart where by names all', async () => {
    const played = await play(inOrder, [{ A: { a: 1 } }, { B: { b: 1, a: 2 } }]);
    expect(played[1]?.found).toEqual(['{"i":"a"} 60']);
  });

  it('that are several to a value fail the detector with what to do', async () => {
    await expect(play(stuck, [{ A: { a: 1, b: 2 } }], [])).rejects.toThrow(
      'A: several series have the labels {} at 1970-01-01T00:00:00.000Z',
    );
  });

  it('are bounded in number, with a clear error', async () => {
    const ask = async () =>
      Array.from({ length: MAX_LABEL_SETS + 1 }, (_, i) => ({ series: seriesFromLabels([{ name: 'i', value: String(i) }]), value: 1 }));
    await expect(
      observePattern({ ask }, { detector: { kind: 'pattern', by: undefined, pattern: heartbeat }, memory: undefined, atMs: 0 }),
    ).rejects.toThrow('the detector has 10001 label sets to remember; at most 10000 are kept');
  });
});

describe('a memory', () => {
  it('stays the same object while nothing changes', async () => {
    const ask = async () => [{ series: seriesFromLabels([{ name: 'i', value: 'a' }]), value: 1 }];
    const detector = { kind: 'pattern' as const, by: undefined, pattern: heartbeat };
    const first = await observePattern({ ask }, { detector, memory: undefined, atMs: 0 });
    const second = await observePattern({ ask }, { detector, memory: first.memory, atMs: minute });
    expect(second.memory).toBe(first.memory);
  });

  it('of another definition is not used', async () => {
    const gone = async () => [];
    const there = async () => [{ series: seriesFromLabels([{ name: 'i', value: 'a' }]), value: 1 }];
    const detector = { kind: 'pattern' as const, by: undefined, pattern: heartbeat };
    const { memory } = await observePattern({ ask: there }, { detector, memory: undefined, atMs: 0 });
    const other = { ...detector, pattern: { ...heartbeat, condition: B } };
    expect((await observePattern({ ask: gone }, { detector, memory, atMs: minute })).memory.rows).toHaveLength(1);
    expect((await observePattern({ ask: gone }, { detector: other, memory, atMs: minute })).memory.rows).toHaveLength(0);
  });

  it('forgets label sets of which there is nothing to remember', async () => {
    const played = await play({ form: 'count', condition: A, counts: 'beginnings', times: 2, windowMs: 2 * minute }, [
      { A: { a: 1 } },
      {},
      {},
      {},
    ]);
    expect(played.map(({ memory }) => memory.rows.length)).toEqual([1, 1, 0, 0]);
  });
});
