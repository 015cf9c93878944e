import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createMemorySource } from '#ports/memory/memory-sample-source.ts';
import { createQueryPort } from '#query/query-port.ts';
import { checkTemplate, renderTemplate } from '#releases/analysis/query-template.ts';

const limits = { maxSeries: 10, maxSamples: 1_000, maxBytes: 1e9, timeoutMs: 10_000 };
const query = createQueryPort({ source: createMemorySource(), limits, now: () => 0 });

describe('a query template', () => {
  it('takes variables in label values, as patterns where the matcher is one', () => {
    const text = renderTemplate('sum(a{v="{{version}}",p=~"{{ path }}.*"}) # "{x"', { version: 'v1"', path: '/a.b' });
    expect(text).toBe('sum(a{v="v1\\x22",p=~"/a\\x5c.b.*"}) # "{x"');
    expect(query.check(text).type).toBe('vector');
  });

  it('sees the operator before a comment', () => {
    expect(renderTemplate('a{b=~ # any\n"{{v}}"}', { v: '.*' })).toBe('a{b=~ # any\n"\\x5c.\\x5c*"}');
  });

  it.each([
    ['{{metric}}', 'outside'],
    ['a[{{window}}]', 'outside'],
    ['a{b=`{{version}}`}', 'backquotes'],
    ['a{b="{{ver sion}}"}', 'none'],
    ['a # "{{version}}"', 'outside'],
  ])('is refused where a value could change the query: %s', (template, words) => {
    expect(checkTemplate(template)).toContain(words);
    expect(() => renderTemplate(template, { version: '1', metric: 'up', window: '5m' })).toThrow(words);
  });

  it('names a variable that is not known', () => {
    expect(() => renderTemplate('a{b="{{toString}}"}', { version: '1' })).toThrow('unknown variable toString');
  });

  it('is the same query whatever the value', () => {
    void fc.assert(
      fc.property(fc.string({ maxLength: 30, unit: 'grapheme' }), (value) => {
        const { text, metrics } = query.check(renderTemplate('sum(a{b="{{v}}",c=~\'{{v}}\'})', { v: value }));
        expect(metrics).toEqual(['a']);
        expect(text.startsWith('sum(a{')).toBe(true);
      }),
    );
  });
});
