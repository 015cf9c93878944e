import { describe, expect, it } from 'vitest';
import { findWindows } from '#alerts/slo/alert-windows.ts';
import type { Slo } from '#alerts/slo/slo.ts';
import { parseSloFile } from '#alerts/slo/slo-file.ts';
import { sloQueries } from '#alerts/slo/slo-status.ts';
import { createAlertApp } from './alert-app.ts';

const text = `version: prometheus/v1
service: shop
slos:
- name: requests
  description: what is promised
  objective: 99.9
  labels: { team: web }
  sli: { raw: { error_ratio_query: "errors[{{.window}}]" } }
  alerting: { page_alert: { disable: true }, ticket_alert: { disable: true } }
`;
const [slo] = parseSloFile(text).slos as [Slo];
const windows = findWindows(undefined);
const { currentErrorRatio, periodErrorRatio } = sloQueries(slo, windows);
const DAYS_30 = 30 * 86_400;

describe('GET /api/slo', () => {
  it.each([
    [
      'half of the budget burnt, at twice the pace',
      0.002,
      0.0005,
      { currentBurnRate: 2, periodBurnRate: 0.5, budgetRemaining: 0.5 },
      'burning',
      DAYS_30 / 4,
    ],
    ['nothing burning', 0, 0.0001, { currentBurnRate: 0, periodBurnRate: 0.1, budgetRemaining: 0.9 }, 'none', null],
    ['nothing left', 0.001, 0.002, { currentBurnRate: 1, periodBurnRate: 2, budgetRemaining: -1 }, 'exhausted', 0],
    ['no data', undefined, undefined, { currentBurnRate: null, periodBurnRate: null, budgetRemaining: null }, 'unknown', null],
    ['no traffic now', Number.NaN, 0.001, { currentBurnRate: null, periodBurnRate: 1, budgetRemaining: 0 }, 'unknown', null],
  ])('tells of %s', async (_, current, period, rates, exhaustion, secondsToExhaustion) => {
    const values = {
      ...(current !== undefined && { [currentErrorRatio]: current }),
      ...(period !== undefined && { [periodErrorRatio]: period }),
    };
    const app = createAlertApp({ slos: [{ file: 'slos/shop.yaml', slo, windows }], values });
    const { body } = await app.get('/api/slo');
    const [found] = (body as { slos: Record<string, unknown>[] }).slos;
    expect(found).toMatchObject({
      id: 'shop-requests',
      service: 'shop',
      name: 'requests',
      description: 'what is promised',
      labels: { team: 'web' },
      file: 'slos/shop.yaml',
      periodSeconds: DAYS_30,
      exhaustion,
    });
    expect(found?.objective).toBeCloseTo(0.999, 12);
    for (const [name, value] of Object.entries({ ...rates, secondsToExhaustion })) {
      if (value === null) expect([name, found?.[name]]).toEqual([name, null]);
      else expect(found?.[name]).toBeCloseTo(value, 6);
    }
  });

  it('is empty without SLOs', async () => {
    expect((await createAlertApp().get('/api/slo')).body).toEqual({ slos: [] });
  });
});
