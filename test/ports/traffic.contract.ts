import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { OpsError } from '#core/errors.ts';
import { isSameTraffic, normalizeTraffic, type TrafficDriver, type TrafficState, type TrafficTarget } from '#ports/traffic.ts';

/** A driver over a world of its own for one test. */
export interface TrafficUnderTest {
  readonly port: TrafficDriver;
  readonly target: TrafficTarget;
  /** Versions as the world calls them: what has all traffic at first, and what is released. */
  readonly stable: string;
  readonly canary: string;
  /** What the released version is called once it has all traffic, where that is something else. */
  readonly onceStable?: string | undefined;
  /** Somebody else sets this, past the driver. */
  interfere(state: TrafficState): void;
  /** All that the place holds, as text, to be compared. */
  world(): string;
  /** The next change takes effect, and its answer is lost. */
  loseAnswer(): void;
  close(): Promise<void>;
}

/** What every driver whose weights can be chosen must do. */
export function trafficContract(name: string, make: () => Promise<TrafficUnderTest>): void {
  describe(`traffic: ${name}`, () => {
    let it_: TrafficUnderTest;
    const opened: TrafficUnderTest[] = [];
    beforeEach(async () => {
      it_ = await make();
      opened.push(it_);
    });
    afterAll(() => Promise.all(opened.map((each) => each.close())));

    const none = (): TrafficState => ({ stable: it_.stable, weight: 0 });
    const share = (weight: number): TrafficState => ({ stable: it_.stable, canary: it_.canary, weight });
    const all = (): TrafficState => ({ stable: it_.canary, weight: 0 });
    const expectSame = (one: TrafficState, other: TrafficState) =>
      expect(isSameTraffic(one, other), JSON.stringify([one, other])).toBe(true);

    it('reads what holds', async () => {
      expectSame(await it_.port.read(it_.target), none());
      it_.interfere(share(25));
      expectSame(await it_.port.read(it_.target), share(25));
    });

    it('goes up by steps to the whole, and says after each what the world says', async () => {
      const steps = [none(), share(7), share(50), share(100), all()];
      for (const [i, to] of steps.slice(1).entries()) {
        expectSame(await it_.port.shift(it_.target, steps[i] as TrafficState, to), to);
        const { stable, canary } = normalizeTraffic(to);
        const isAll = canary === undefined && stable === it_.canary;
        expectSame(await it_.port.read(it_.target), isAll ? { stable: it_.onceStable ?? stable, weight: 0 } : to);
      }
    });

    it('goes down again from anywhere', async () => {
      await it_.port.shift(it_.target, none(), share(50));
      expectSame(await it_.port.shift(it_.target, share(50), none()), none());
      await it_.port.shift(it_.target, none(), all());
      expectSame(await it_.port.shift(it_.target, all(), none()), none());
    });

    it('changes nothing where it is so already', async () => {
      await it_.port.shift(it_.target, none(), share(10));
      const before = it_.world();
      expectSame(await it_.port.shift(it_.target, none(), share(10)), share(10));
      expect(it_.world()).toBe(before);
    });

    it('refuses over what somebody else has set, and sets nothing', async () => {
      it_.interfere(share(33));
      const before = it_.world();
      const refused = await it_.port.shift(it_.target, none(), share(10)).catch((error: unknown) => error);
      expect(refused).toBeInstanceOf(OpsError);
      expect(refused).toMatchObject({ kind: 'conflict', message: expect.stringContaining('33 %') });
      expect(it_.world()).toBe(before);
    });

    it('puts back exactly what there was, as often as it is asked', async () => {
      const before = it_.world();
      const captured = JSON.parse(JSON.stringify(await it_.port.capture(it_.target)));
      await it_.port.shift(it_.target, none(), share(40));
      expectSame(await it_.port.restore(it_.target, captured), none());
      expect(it_.world()).toBe(before);
      expectSame(await it_.port.restore(it_.target, captured), none());
      expect(it_.world()).toBe(before);
      it_.interfere(share(99));
      expectSame(await it_.port.restore(it_.target, captured), none());
    });

    it('comes to the same after an answer that was lost', async () => {
      it_.loseAnswer();
      const first = await it_.port.shift(it_.target, none(), share(20)).catch((error: unknown) => error);
      if (first instanceof Error) expect(first).toMatchObject({ kind: 'unavailable' });
      expectSame(await it_.port.shift(it_.target, none(), share(20)), share(20));
    });
  });
}
