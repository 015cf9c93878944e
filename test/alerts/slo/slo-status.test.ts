import { describe, expect, it } from 'vitest';
import { findWindows } from '#alerts/slo/alert-windows.ts';
import { parseSloFile } from '#alerts/slo/slo-file.ts';
import { sloQueries, sloStatus } from '#alerts/slo/slo-status.ts';
import { DAY_MS } from '#core/time.ts';

const [slo] = parseSloFile(`
version: prometheus/v1
service: shop
slos:
- name: pay
  objective: 99.9
  sli: { raw: { error_ratio_query: "bad[{{.window}}]" } }
  alerting: { page_alert: { disable: true }, ticket_alert: { disable: true } }
`).slos;
if (!slo) throw new Error('no SLO');
const windows = findWindows(slo.periodMs);
const near = (value: number | undefined) => (value === undefined || !Number.isFinite(value) ? value : expect.closeTo(value, 6));

describe('how an SLO stands', () => {
  it.each([
    { name: 'burning at just the rate that lasts a period', current: 0.001, period: 0.0005, burn: 1, spent: 0.5, left: 0.5, days: 15 },
    { name: 'burning ten times as fast', current: 0.01, period: 0.0005, burn: 10, spent: 0.5, left: 0.5, days: 1.5 },
    { name: 'not burning', current: 0, period: 0.0002, burn: 0, spent: 0.2, left: 0.8, days: Number.POSITIVE_INFINITY },
    { name: 'spent', current: 0.001, period: 0.002, burn: 1, spent: 2, left: -1, days: 0 },
    { name: 'not measured now', current: undefined, period: 0.0005, burn: undefined, spent: 0.5, left: 0.5, days: undefined },
    { name: 'never measured', current: Number.NaN, period: undefined, burn: undefined, spent: undefined, left: undefined, days: undefined },
  ])('$name', ({ current, period, burn, spent, left, days }) => {
    expect(sloStatus(slo, windows, { currentErrorRatio: current, periodErrorRatio: period })).toEqual({
      objective: near(0.999),
      errorBudget: near(0.001),
      periodMs: 30 * DAY_MS,
      currentBurnRate: near(burn),
      periodBurnRate: near(spent),
      budgetRemaining: near(left),
      exhaustedInMs: days === undefined ? undefined : Number.isFinite(days) ? expect.closeTo(days * DAY_MS, 0) : days,
    });
  });

  it('with an objective of 100 any error burns infinitely fast', () => {
    const status = sloStatus({ ...slo, objective: 100 }, windows, { currentErrorRatio: 1e-6, periodErrorRatio: 0 });
    expect([status.currentBurnRate, status.budgetRemaining, status.exhaustedInMs]).toEqual([Number.POSITIVE_INFINITY, 1, 0]);
  });

  it('is asked of the recordings of its shortest window and its period', () => {
    const selector = '{sloth_id="shop-pay", sloth_service="shop", sloth_slo="pay"}';
    expect(sloQueries(slo, windows)).toEqual({
      currentErrorRatio: `max(slo:sli_error:ratio_rate5m${selector})`,
      periodErrorRatio: `max(slo:sli_error:ratio_rate30d${selector})`,
    });
  });
});
