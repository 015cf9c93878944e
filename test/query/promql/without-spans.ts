/** The value without any `span`, and with matchers in order: what of an expression does not depend on how it is written. */
export function withoutSpans(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(value, (key, item: unknown) => {
      if (key === 'span') return undefined;
      return key === 'matchers' ? (item as unknown[]).map((matcher) => JSON.stringify(matcher)).sort() : spell(item);
    }),
  );
}

function spell(item: unknown): unknown {
  if (typeof item !== 'number' || (Number.isFinite(item) && !Object.is(item, -0))) return item;
  return Object.is(item, -0) ? 'number -0' : `number ${item}`;
}
