import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ActiveAlert, RuleState } from '#alerts/rules/rule-state.ts';
import { decodeRuleState, encodeRuleState } from '#alerts/rules/rule-state-codec.ts';
import { isOpsError } from '#core/errors.ts';
import { seriesOf } from './make-rule.ts';

const time = fc.integer({ min: 0, max: 4e12 });
const texts = fc.dictionary(fc.string({ unit: 'grapheme', minLength: 1 }), fc.string({ unit: 'grapheme', minLength: 1 }), { maxKeys: 4 });
const labels = texts.map((set) => seriesOf(Object.fromEntries(Object.entries(set).filter(([name]) => name !== '__name__'))));
const alert: fc.Arbitrary<ActiveAlert> = fc.record({
  labels,
  annotations: texts,
  phase: fc.constantFrom('pending', 'firing', 'inactive'),
  activeAtMs: time,
  firedAtMs: fc.option(time, { nil: undefined }),
  resolvedAtMs: fc.option(time, { nil: undefined }),
  keepFiringSinceMs: fc.option(time, { nil: undefined }),
  value: fc.double(),
});
const packed = fc.array(fc.tuple(fc.string(), fc.uint8Array({ maxLength: 40 })), { maxLength: 4 });
const memory = fc.tuple(fc.string(), packed, time).map(([form, rows, atMs]) => ({
  form,
  rows: rows.map(([labels]): [string, null] => [labels, null]),
  packed: { atMs, states: rows.map(([, bytes]) => bytes) },
}));
const learned: fc.Arbitrary<RuleState> = fc
  .tuple(fc.string(), memory)
  .map(([name, known]) => ({ kind: 'detector', name, labels: {}, alerts: [], series: [], error: '', memory: known }));
const state: fc.Arbitrary<RuleState> = fc.record({
  kind: fc.constantFrom('alert', 'record'),
  name: fc.string(),
  labels: texts,
  alerts: fc.array(alert, { maxLength: 6 }),
  series: fc.array(texts.map(seriesOf), { maxLength: 6 }),
  error: fc.string(),
});

describe('a packed state', () => {
  it('is what it was when unpacked', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(state, learned), { maxLength: 4 }), (states) => {
        expect(decodeRuleState(encodeRuleState(states))).toEqual(states);
      }),
      { numRuns: 300 },
    );
  });

  it('takes few bytes an alert when alerts are alike', () => {
    const alerts = Array.from({ length: 10_000 }, (_, i): ActiveAlert => {
      const instance = `ip-10-${i >> 8}-${i & 255}.eu-west-1.compute.internal:9100`;
      return {
        labels: seriesOf({ alertname: 'InstanceDown', cluster: 'production', instance, job: 'node', severity: 'page' }),
        annotations: {
          summary: `Instance ${instance} down`,
          description: `${instance} of job node has been down for more than 5 minutes.`,
        },
        phase: 'firing',
        activeAtMs: 1_795_000_000_000,
        firedAtMs: 1_795_000_300_000,
        resolvedAtMs: undefined,
        keepFiringSinceMs: undefined,
        value: 0,
      };
    });
    const bytes = encodeRuleState([{ kind: 'alert', name: 'InstanceDown', labels: {}, alerts, series: [], error: '' }]);
    expect(bytes.length / alerts.length).toBeLessThan(40);
  });

  it.each([
    ['cut short', (bytes: Uint8Array) => bytes.subarray(0, bytes.length - 5)],
    ['changed', (bytes: Uint8Array) => bytes.map((byte, i) => (i === bytes.length - 6 ? byte ^ 1 : byte))],
    ['empty', () => new Uint8Array(0)],
  ])('%s is refused', (_, damage) => {
    const bytes = encodeRuleState([{ kind: 'alert', name: 'a'.repeat(40), labels: {}, alerts: [], series: [], error: 'because' }]);
    let error: unknown;
    try {
      decodeRuleState(damage(Uint8Array.from(bytes)));
    } catch (caught) {
      error = caught;
    }
    expect(isOpsError(error, 'unavailable')).toBe(true);
  });
});
