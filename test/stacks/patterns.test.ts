import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { subscriptions } from '#functions/subscriptions.ts';
import { eventTypes } from '#model/events.ts';
import { type BusEvent, type EventPattern, matchesPattern } from '#ports/bus.ts';

/** What S3 tells EventBridge of a new object, in the form that AWS documents. */
const objectCreated: BusEvent = {
  source: 'aws.s3',
  detailType: 'Object Created',
  detail: {
    version: '0',
    'event-version': '1.0',
    bucket: { name: 'quarterdeck-test-uploads' },
    object: { key: 'imports/default/0123456789abcdef', size: 1_048_576, etag: 'd41d8cd98f00b204e9800998ecf8427e', sequencer: '00693A' },
    'request-id': 'C3D13FE58DE4C810',
    requester: '123456789012',
    'source-ip-address': '192.0.2.7',
    reason: 'PostObject',
  },
};

type Schema = Readonly<{ shape: Readonly<Record<string, z.ZodType>> }>;

/** The event that a pattern asks for, as far as the event's schema has it: nothing where a field or its value is unknown there. */
function exampleFor(pattern: EventPattern): BusEvent | undefined {
  const type = eventTypes.find(({ source, detailType }) => pattern.source.includes(source) && pattern['detail-type'].includes(detailType));
  if (!type) return pattern.source.includes('aws.s3') ? objectCreated : undefined;
  const { shape } = type.schema as Schema;
  const asked = Object.entries(pattern.detail ?? {}).map(([field, [value]]) => [field, value] as const);
  if (!asked.every(([field, value]) => shape[field]?.safeParse(value).success)) return undefined;
  return {
    source: type.source,
    detailType: type.detailType,
    detail: { ...exampleOf(type.schema as Schema), ...Object.fromEntries(asked) },
  };
}

function exampleOf({ shape }: Schema): Record<string, unknown> {
  const report = { provider: 'ci', delivery: '1', kind: 'version-seen', repository: 'acme/shop', commit: 'c0ffee' };
  const words = ['metrics', 'hot', 'done', 'firing', 'queued', 'pass'];
  const candidates = ['example', '2026-11-23T10:00:00Z', '2026-11-23', 1, true, ...words, {}, [], report];
  return Object.fromEntries(
    Object.entries(shape).map(([field, schema]) => [
      field,
      [...candidates, ...optionsOf(schema)].find((value) => schema.safeParse(value).success),
    ]),
  );
}

function optionsOf(schema: z.ZodType): readonly unknown[] {
  return schema instanceof z.ZodEnum ? schema.options : [];
}

describe('every subscription', () => {
  it.each(subscriptions.map((each) => [each.name, each.pattern] as const))('%s matches an event that its producer makes', (_, pattern) => {
    const event = exampleFor(pattern);
    expect(event).toBeDefined();
    expect(matchesPattern(pattern, event as BusEvent)).toBe(true);
  });

  it.each(subscriptions.map((each) => [each.name, each.pattern] as const))(
    '%s asks only for values that the event can have',
    (_, pattern) => {
      const type = eventTypes.find(({ detailType }) => pattern['detail-type'].includes(detailType));
      const { shape } = (type?.schema ?? z.object({})) as Schema;
      for (const [field, values] of Object.entries(pattern.detail ?? {})) {
        for (const value of values) expect([field, shape[field]?.safeParse(value).success]).toEqual([field, true]);
      }
    },
  );
});

describe('an example event', () => {
  it.each(eventTypes.map(({ detailType, schema }) => [detailType, schema] as const))('of %s is as its schema says', (_, schema) => {
    expect(schema.safeParse(exampleOf(schema as unknown as Schema)).success).toBe(true);
  });
});
