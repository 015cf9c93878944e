// biome-ignore-all lint/suspicious/noTemplateCurlyInString: Go templates look like this
import { describe, expect, it } from 'vitest';
import { lowerSimple, upperSimple } from '#ingest/pipeline/letter-case.ts';
import { compileRelabel } from '#ingest/pipeline/relabel.ts';
import { RelabelConfig } from '#ingest/pipeline/relabel-config.ts';
import { series } from './support.ts';

type Labels = Record<string, string>;
const relabel = (input: Labels, ...configs: object[]): Labels | undefined => {
  const result = compileRelabel(configs.map((config) => RelabelConfig.parse(config)))(series(input));
  return (
    result &&
    Object.fromEntries([...(result.metric ? [['__name__', result.metric]] : []), ...result.labels.map(({ name, value }) => [name, value])])
  );
};

describe('relabelling', () => {
  const cases: [string, Labels, object | object[], Labels | undefined][] = [
    [
      'replace writes the match to the target',
      { a: 'foo', b: 'bar' },
      { source_labels: ['a'], regex: 'f(.*)', target_label: 'd', replacement: 'ch${1}-ch${1}' },
      { a: 'foo', b: 'bar', d: 'choo-choo' },
    ],
    [
      'sources are joined by a semicolon',
      { a: 'x', b: 'y' },
      { source_labels: ['a', 'b'], regex: 'x;(y)', target_label: 'c' },
      { a: 'x', b: 'y', c: 'y' },
    ],
    [
      'or by the separator, absent ones as empty text',
      { a: 'x' },
      { source_labels: ['a', 'b', 'a'], separator: '-', target_label: 'c' },
      { a: 'x', c: 'x--x' },
    ],
    ['a regex matches the whole text', { a: 'foobar' }, { source_labels: ['a'], regex: 'foo', target_label: 'b' }, { a: 'foobar' }],
    [
      'a dot matches newline',
      { a: 'l1\nl2' },
      { source_labels: ['a'], regex: 'l1.l2', target_label: 'b', replacement: 'm' },
      { a: 'l1\nl2', b: 'm' },
    ],
    ['without sources the text is empty', { a: 'x' }, { target_label: 'b', replacement: 'fixed' }, { a: 'x', b: 'fixed' }],
    [
      'an empty replacement removes the target',
      { a: 'x', b: 'y' },
      { source_labels: ['a'], target_label: 'b', replacement: '' },
      { a: 'x' },
    ],
    [
      'a match that leaves an empty value removes the target',
      { a: 'foo', b: 'y' },
      { source_labels: ['a'], regex: 'foo(.*)', target_label: 'b' },
      { a: 'foo' },
    ],
    [
      'the target is a template too',
      { a: 'one', b: 'two' },
      { source_labels: ['a', 'b'], regex: '(.*);(.*)', target_label: '${1}_l', replacement: '$2' },
      { a: 'one', b: 'two', one_l: 'two' },
    ],
    [
      'a target that expands to nothing changes nothing',
      { a: 'x' },
      { source_labels: ['a'], regex: '(y)?x', target_label: '$1', replacement: 'z' },
      { a: 'x' },
    ],
    [
      'named groups',
      { a: 'h:80' },
      { source_labels: ['a'], regex: '(?P<host>.*):(?<port>.*)', target_label: 'b', replacement: '${port}@$host' },
      { a: 'h:80', b: '80@h' },
    ],
    [
      'the metric is __name__',
      { __name__: 'old_total', a: 'x' },
      { source_labels: ['__name__'], regex: 'old_(.*)', target_label: '__name__', replacement: 'new_$1' },
      { __name__: 'new_total', a: 'x' },
    ],
    ['UTF-8 names', { 'k8s.pod': 'p' }, { source_labels: ['k8s.pod'], target_label: 'pod.name' }, { 'k8s.pod': 'p', 'pod.name': 'p' }],
    [
      'steps see what steps before them did',
      { a: 'x' },
      [
        { source_labels: ['a'], target_label: 'b' },
        { source_labels: ['b'], regex: 'x', action: 'drop' },
      ],
      undefined,
    ],
    ['keep keeps a match', { a: 'x' }, { source_labels: ['a'], regex: 'x', action: 'keep' }, { a: 'x' }],
    ['keep drops the rest', { a: 'y' }, { source_labels: ['a'], regex: 'x', action: 'keep' }, undefined],
    ['keep on an absent label takes it as empty', { a: 'y' }, { source_labels: ['z'], regex: '', action: 'keep' }, { a: 'y' }],
    ['drop drops a match', { a: 'x' }, { source_labels: ['a'], regex: 'x|y', action: 'drop' }, undefined],
    ['drop lets the rest pass', { a: 'xy' }, { source_labels: ['a'], regex: 'x|y', action: 'drop' }, { a: 'xy' }],
    [
      'keepequal keeps equal texts',
      { a: '1', b: '1' },
      { source_labels: ['a'], target_label: 'b', action: 'keepequal' },
      { a: '1', b: '1' },
    ],
    ['keepequal drops others', { a: '1', b: '2' }, { source_labels: ['a'], target_label: 'b', action: 'keepequal' }, undefined],
    ['dropequal drops equal texts', { a: '1', b: '1' }, { source_labels: ['a'], target_label: 'b', action: 'dropequal' }, undefined],
    ['dropequal takes absent as empty', { c: '1' }, { source_labels: ['a'], target_label: 'b', action: 'dropequal' }, undefined],
    [
      'hashmod spreads by MD5',
      { c: 'baz' },
      { source_labels: ['c'], target_label: 'd', action: 'hashmod', modulus: 1000 },
      { c: 'baz', d: '976' },
    ],
    [
      'hashmod of a text with newline',
      { a: 'foo\nbar' },
      { source_labels: ['a'], target_label: 'b', action: 'hashmod', modulus: 1000 },
      { a: 'foo\nbar', b: '734' },
    ],
    [
      'labelmap copies names that match',
      { m_a: '1', m_b: '2', c: '3' },
      { action: 'labelmap', regex: 'm_(.*)' },
      { m_a: '1', m_b: '2', c: '3', a: '1', b: '2' },
    ],
    ['labelmap with a template', { m_a: '1' }, { action: 'labelmap', regex: 'm_(.*)', replacement: 'n_${1}' }, { m_a: '1', n_a: '1' }],
    [
      'labelmap to one name: the last by name wins',
      { m_a: '1', m_b: '2' },
      { action: 'labelmap', regex: 'm_.*', replacement: 'n' },
      { m_a: '1', m_b: '2', n: '2' },
    ],
    [
      'labelmap to one name: what was set since comes after what came',
      { m_a: '1', m_b: '2' },
      [
        { target_label: 'm_a', replacement: '9' },
        { action: 'labelmap', regex: 'm_.*', replacement: 'n' },
      ],
      { m_a: '9', m_b: '2', n: '9' },
    ],
    ['labeldrop removes names that match', { a: '1', tmp_x: '2' }, { action: 'labeldrop', regex: 'tmp_.*' }, { a: '1' }],
    [
      'labelkeep removes the rest, the metric among them',
      { __name__: 'm', a: '1', b: '2' },
      { action: 'labelkeep', regex: 'a' },
      { a: '1' },
    ],
    ['a series without any label left is dropped', { a: '1' }, { action: 'labeldrop', regex: '.*' }, undefined],
    ['lowercase', { a: 'FooÄ' }, { source_labels: ['a'], target_label: 'b', action: 'lowercase' }, { a: 'FooÄ', b: 'fooä' }],
    ['uppercase', { a: 'fooß' }, { source_labels: ['a'], target_label: 'b', action: 'uppercase' }, { a: 'fooß', b: 'FOOß' }],
    ['actions in any case', { a: 'x' }, { source_labels: ['a'], regex: 'x', action: 'DROP' }, undefined],
  ];
  it.each(cases)('%s', (_name, input, configs, want) => expect(relabel(input, ...[configs].flat())).toEqual(want));

  it('gives back the same object where nothing changed', () => {
    const same = series({ __name__: 'm', a: 'x' });
    const configs = [
      { source_labels: ['a'], target_label: 'a' },
      { action: 'labeldrop', regex: 'none' },
    ].map((config) => RelabelConfig.parse(config));
    expect(compileRelabel(configs)(same)).toBe(same);
  });

  it('keeps labels sorted by bytes', () => {
    const result = compileRelabel([
      RelabelConfig.parse({ target_label: 'A', replacement: '1' }),
      RelabelConfig.parse({ target_label: '~', replacement: '2' }),
    ])(series({ a: 'x' }));
    expect(result?.json).toBe('{"A":"1","a":"x","~":"2"}');
  });
});

describe('letter case maps one character to one', () => {
  it.each([
    ['ΑΣ', 'ας'.replace('ς', 'σ'), 'ΑΣ'],
    ['İ', 'i', 'İ'],
    ['ß', 'ß', 'ß'],
    ['ﬁ', 'ﬁ', 'ﬁ'],
    ['ᾳ', 'ᾳ', 'ᾼ'],
    ['ᾀ', 'ᾀ', 'ᾈ'],
    ['ᾈ', 'ᾀ', 'ᾈ'],
    ['𐐨𐐀', '𐐨𐐨', '𐐀𐐀'],
    ['ǆ', 'ǆ', 'Ǆ'],
    ['Az09', 'az09', 'AZ09'],
  ])('%s', (text, lower, upper) => expect([lowerSimple(text), upperSimple(text)]).toEqual([lower, upper]));
});
