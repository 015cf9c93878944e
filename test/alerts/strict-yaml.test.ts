import { describe, expect, it } from 'vitest';
import { readYamlDocuments } from '#alerts/strict-yaml.ts';

function readMap(text: string) {
  const { documents, faults } = readYamlDocuments(text);
  const [yaml] = documents;
  const root = yaml.fields(yaml.root, 'file', ['a', 'b', 'c', 'defaults']);
  return { a: yaml.textMap(root.get('a'), 'texts'), faults };
}

describe('strict YAML', () => {
  it('keeps scalars as they are written', () => {
    expect(readMap('a: { one: 1.50, hex: 0x10, yes: true, none: null, time: 2024-01-01, text: "x" }').a).toEqual({
      one: '1.50',
      hex: '0x10',
      yes: 'true',
      none: '',
      time: '2024-01-01',
      text: 'x',
    });
  });

  it('merges mappings, what is nearer winning', () => {
    const text = 'defaults: [&x { k: x, l: x, m: x }, &y { k: y, n: y }]\na: { <<: [*x, *y], l: own }\n';
    expect(readMap(text)).toMatchObject({ a: { k: 'x', l: 'own', m: 'x', n: 'y' }, faults: [] });
  });

  it('takes a name that is special in JavaScript for any other', () => {
    expect(JSON.stringify(readMap('a: { __proto__: x, constructor: y }').a)).toBe('{"__proto__":"x","constructor":"y"}');
  });

  it.each([
    ['a: { k: [] }', '1:9', 'cannot unmarshal !!seq into string'],
    ['a: { <<: 1 }', '1:10', 'map merge requires map or sequence of maps as the value'],
    ['a: *nothing', '1:4', 'nothing'],
    ['a: 1', '1:4', 'cannot unmarshal !!int `1` into texts'],
    ['nope: 1', '1:1', 'field nope not found in file; accepted: a, b, c, defaults'],
    ['a: &x { <<: *x }', '1:13', ''],
  ])('finds in %s what is wrong, and where', (text, place, message) => {
    const [fault] = readMap(text).faults;
    expect(fault && `${fault.line}:${fault.col}`).toBe(place);
    expect(fault?.message).toContain(message);
  });

  it('reads no more than so much, however often aliases repeat it', () => {
    const many = new Array(500).fill('*b').join(', ');
    const { documents, faults } = readYamlDocuments(`a: &a { k: v }\nb: &b [${new Array(500).fill('*a').join(', ')}]\nc: [${many}]\n`);
    const [yaml] = documents;
    const root = yaml.fields(yaml.root, 'file', ['a', 'b', 'c']);
    let read = 0;
    for (const inner of yaml.list(root.get('c'), 'list'))
      for (const node of yaml.list(inner, 'list')) read += Object.keys(yaml.textMap(node, 'texts')).length;
    expect(read).toBeLessThan(200_000);
    expect(faults.map(({ message }) => message)).toContain('more than 200000 mappings and lists, repeated ones counted');
  });

  it('says of a text that is too long only that', () => {
    expect(readYamlDocuments('a'.repeat(17 * 1024 * 1024)).faults).toEqual([
      { line: 1, col: 1, message: expect.stringContaining('at most 16777216 are read') },
    ]);
  });

  it('reads one document or all', () => {
    const text = 'a: 1\n---\na: [\n';
    expect(readYamlDocuments(text, { onlyFirst: true })).toMatchObject({ count: 2, faults: [] });
    expect(readYamlDocuments(text).faults).toHaveLength(1);
  });
});
