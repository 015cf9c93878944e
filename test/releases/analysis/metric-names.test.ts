import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { PARTS } from '#functions/release-files.ts';
import { Analysis } from '#releases/analysis/analysis.ts';
import { applicationFile } from '#releases/application/application-file.ts';

const NAMES = ['__proto__', 'constructor', 'toString', 'valueOf', 'hasOwnProperty'];

it.each(NAMES)('a metric is not called %s: what its looks leave would be lost, or be taken for something else', (name) => {
  const metric = { name, kind: 'threshold', query: 'up', success: { below: 1 } };
  expect(Analysis.safeParse({ looks: 10, metrics: [metric] }).error?.issues.map(({ path }) => path.join('.'))).toEqual(['metrics.0.name']);
});

it.each(NAMES)('a gate that names the analysis or freeze %s, which there is none of, is refused by its name', (name) => {
  const text = `
application: shop
repository: acme/shop
environments: [{ name: production, gates: { start: [{ freeze: ['${name}'] }], step: [{ analysis: '${name}' }] } }]
`;
  const parsed = applicationFile(PARTS).safeParse(parse(text));
  expect(parsed.error?.issues.map(({ message }) => message)).toEqual([
    expect.stringMatching('is no freeze'),
    expect.stringMatching('is no analysis'),
  ]);
});
