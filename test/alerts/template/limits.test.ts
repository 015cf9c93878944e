import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { alertmanagerFunctions } from '#alerts/template/alertmanager-functions.ts';
import { notificationValue } from '#alerts/template/notification-data.ts';
import { parseTemplate } from '#alerts/template/parse.ts';
import { prometheusFunctions } from '#alerts/template/prometheus-functions.ts';
import { renderTemplate } from '#alerts/template/render.ts';
import { OpsError } from '#core/errors.ts';
import { notification } from './notification.ts';
import { outcome, render } from './render-case.ts';

const functions = { ...prometheusFunctions, ...alertmanagerFunctions };
const data = notificationValue(notification);
const limits = { outputBytes: 20_000, steps: 20_000, queries: 5 };

const bombs: readonly { does: string; text: string }[] = [
  { does: 'counts far', text: '{{range 1000000000}}{{end}}' },
  { does: 'nests loops', text: '{{range 1000}}{{range 1000}}{{range 1000}}{{end}}{{end}}{{end}}' },
  { does: 'calls itself', text: '{{define "x"}}{{template "x" .}}{{end}}{{template "x" .}}' },
  { does: 'calls itself twice', text: '{{define "x"}}{{template "x" .}}{{template "x" .}}{{end}}{{template "x" .}}' },
  {
    does: 'calls itself through another',
    text: '{{define "a"}}{{template "b" .}}{{end}}{{define "b"}}{{template "a" .}}{{end}}{{template "a" .}}',
  },
  { does: 'pads wide', text: '{{printf "%1000000s" "x"}}' },
  { does: 'pads many', text: `{{printf "${'%900000d'.repeat(200)}" 1}}` },
  { does: 'prints a wide number', text: '{{printf "%.1000000f" 1.5}}' },
  { does: 'doubles a text', text: '{{$x := "0123456789abcdef"}}{{range 60}}{{$x = print $x $x}}{{end}}' },
  { does: 'doubles by replacing', text: '{{$x := "aa"}}{{range 60}}{{$x = reReplaceAll "a" "aa" $x}}{{end}}' },
  { does: 'doubles by joining', text: '{{$x := "aa"}}{{range 60}}{{$x = join $x (stringSlice $x $x $x)}}{{end}}' },
  { does: 'doubles by escaping', text: '{{$x := "\\""}}{{range 60}}{{$x = html $x $x}}{{end}}' },
  { does: 'doubles a list', text: '{{$x := list 1}}{{range 60}}{{$x = list $x $x}}{{end}}{{$x}}' },
  { does: 'doubles JSON', text: '{{$x := list 1}}{{range 60}}{{$x = list $x $x}}{{end}}{{toJson $x}}' },
  { does: 'nests a list', text: '{{$x := list}}{{range 5000}}{{$x = list $x}}{{end}}{{$x}}' },
  { does: 'nests a list for JSON', text: '{{$x := dict}}{{range 3000}}{{$x = dict "a" $x}}{{end}}{{toJson $x}}' },
  {
    does: 'measures a long text again and again',
    text: '{{$x := "0123456789abcdef"}}{{range 14}}{{$x = print $x $x}}{{end}}{{range 100000}}{{$y := len $x}}{{end}}',
  },
  { does: 'prints much', text: `{{range 1000}}${'x'.repeat(100)}{{end}}` },
  { does: 'asks much', text: '{{range $i, $_ := list 1 2 3 4 5 6 7 8}}{{query (print $i)}}{{end}}' },
];

describe('a template that wants too much', () => {
  it.each(bombs)('ends in a limit: it $does', async ({ text }) => {
    const asked = render(text, functions, data, { limits, query: async () => [] });
    await expect(asked).rejects.toMatchObject({ name: 'OpsError', kind: 'limit' });
  });

  it('is refused where it nests too deep to be parsed', () => {
    const deep = (open: string, close: string) => () =>
      parseTemplate(open.repeat(5_000) + close.repeat(5_000), { functions, name: 'deep' });
    expect(deep('{{if true}}', '{{end}}')).toThrow('template: deep:1: nested more than 200 deep');
    expect(() => parseTemplate(`{{${'('.repeat(5_000)}1${')'.repeat(5_000)}}}`, { functions, name: 'deep' })).toThrow(
      'nested more than 200 deep',
    );
    expect(() => parseTemplate('x'.repeat(1_000_001), { functions, name: 'long' })).toThrow('longer than 1000000 characters');
    expect(() => parseTemplate(`{{if 1}}${'{{else if 1}}'.repeat(5_000)}{{end}}`, { functions, name: 'deep' })).toThrow(
      'nested more than 200 deep',
    );
  });

  it('may nest as deep as it can be parsed, in templates that call each other', async () => {
    const nested = `${'{{if true}}'.repeat(190)}x${'{{end}}'.repeat(190)}`;
    expect(await render(nested, functions, data)).toBe('x');
    const chain = `{{define "a"}}${'{{if true}}'.repeat(190)}{{template "a" .}}${'{{end}}'.repeat(190)}{{end}}{{template "a" .}}`;
    expect(await outcome(chain, functions, data)).toBe('error: template: execution is nested more than 400 deep');
  });
});

describe('a long text takes time in proportion to its length', () => {
  const long = 200_000;
  it.each([
    ['spaces before an action that trims none of them', `${' '.repeat(long)}x{{- 1}}`],
    ['spaces before one that trims them all', `x${' '.repeat(long)}{{- 1}}`],
    ['digits that are no number', `{{humanize "${'1'.repeat(long)}x"}}`],
    ['a number without an end', `{{${'1'.repeat(long)}}}`],
    ['opening brackets in an attribute', `<a title="{{safeHtml "${'<'.repeat(long)}"}}">`],
    ['openings of comments in a script', `<script>${'/*'.repeat(long)}{{1}}</script>`],
    ['percent signs', `{{urlUnescape "${'%'.repeat(long)}"}}`],
  ])('%s', async (_name, text) => {
    expect(await outcome(text, functions, data, { mode: 'html' })).toBeTypeOf('string');
  });
});

describe('queries of a template', () => {
  it('are made once each, however often they stand there, and in turn', async () => {
    const asked: string[] = [];
    const query = async (expression: string) => {
      asked.push(expression);
      return [{ labels: { n: expression }, value: asked.length }];
    };
    const text =
      '{{with query "a"}}{{. | first | value}}{{end}}{{range query "b"}}{{query .Labels.n | first | value}}{{end}}{{query "a" | len}}';
    expect(await render(text, prometheusFunctions, undefined, { query })).toBe('121');
    expect(asked).toEqual(['a', 'b']);
  });

  it('keep the kind of their error, in the words of the template', async () => {
    const query = async () => {
      throw new OpsError('unavailable', 'storage is away', { retryAfterMs: 5 });
    };
    const asked = render('{{query "up"}}', prometheusFunctions, undefined, { query });
    await expect(asked).rejects.toMatchObject({
      kind: 'unavailable',
      retryAfterMs: 5,
      message: 'template: test:1:2: executing "test" at <query "up">: error calling query: storage is away',
    });
  });

  it('are refused where nothing answers them', async () => {
    expect(await outcome('{{query "up"}}', prometheusFunctions, undefined)).toBe(
      'error: template: test:1:2: executing "test" at <query "up">: error calling query: queries cannot be made here',
    );
  });
});

const word = fc.constantFrom(
  ...['if', 'else', 'end', 'range', 'with', 'define', 'template', 'block', 'break', 'continue', 'nil', 'true', '$x', '$', '.', '.Alerts'],
  ...['.CommonLabels', '.Status', ':=', '=', '|', '(', ')', ',', '"a"', '`b`', "'c'", '1', '-1.5', '0x1p4', '1i', '{{', '}}', '{{-', '-}}'],
  ...[
    '/*',
    '*/',
    '\n',
    ' ',
    'printf',
    '"%v %5d"',
    'len',
    'index',
    'eq',
    'print',
    'list',
    'dict',
    'toJson',
    'reReplaceAll',
    'query',
    'é',
    '\ud800',
  ],
  ...['"x"', '"%s%[3]*.[2]*[1]f|"', '.StartsAt', '.Format', 'slice', 'html', 'date', 'tz', 'humanize', 'toTime', 'now', 'append', '1e308'],
);

describe('any text', () => {
  it('parses, or is refused in an error of ours', () => {
    const text = fc.oneof(
      fc.array(word, { maxLength: 40 }).map((words) => words.join(' ')),
      fc.array(word, { maxLength: 40 }).map((words) => words.join('')),
    );
    fc.assert(
      fc.property(text, (source) => {
        try {
          parseTemplate(source, { functions, name: 'any' });
        } catch (error) {
          if (!(error instanceof OpsError) || error.kind !== 'input' || !error.message.startsWith('template: any:')) throw error;
        }
      }),
      { numRuns: 2_000 },
    );
  });

  const operand = fc.constantFrom(
    '.',
    '$',
    '1',
    '-3',
    '1.5',
    '"a"',
    'nil',
    'true',
    '.Alerts',
    '.CommonLabels',
    '.Status',
    '.Nope',
    '$x',
    "'c'",
    '(index .Alerts 0)',
    'now',
  );
  const name = fc.constantFrom(
    ...Object.keys(functions),
    'printf "%v|%5.2f|%x|%q|%T"',
    'print',
    'len',
    'index',
    'slice',
    'eq',
    'lt',
    'and',
    'or',
    'not',
    'html',
    'js',
  );
  const call = fc.tuple(name, fc.array(operand, { maxLength: 3 })).map(([fn, args]) => [fn, ...args].join(' '));
  const pipe = fc.array(call, { minLength: 1, maxLength: 3 }).map((calls) => calls.join(' | '));
  const { node } = fc.letrec<{ node: string }>((tie) => ({
    node: fc.oneof(
      { maxDepth: 4 },
      pipe.map((text) => `{{${text}}}`),
      fc
        .tuple(fc.constantFrom('if', 'with', 'range', 'range $x :=', 'range $i, $x :='), fc.oneof(pipe, operand), tie('node'), tie('node'))
        .map(([kind, text, body, other]) => `{{${kind} ${text}}}${body}{{else}}${other}{{end}}`),
      fc.tuple(pipe, tie('node')).map(([text, body]) => `{{$x = ${text}}}${body}`),
      tie('node').map((body) => `{{template "t" .}}${body}{{template "t" $x}}`),
    ),
  }));

  it('that parses is rendered within its limits, or ends in an error of ours', async () => {
    await fc.assert(
      fc.asyncProperty(node, node, fc.constantFrom<'text' | 'html'>('text', 'html'), async (body, shared, mode) => {
        const template = parseTemplate(`{{$x := 1}}${body}{{define "t"}}{{$x := .}}${shared}{{end}}`, { functions, name: 'any' });
        try {
          const text = await renderTemplate(template, data, { nowMs: 0, limits, mode, query: async () => [{ labels: {}, value: 1 }] });
          expect(Buffer.byteLength(text)).toBeLessThanOrEqual(limits.outputBytes);
        } catch (error) {
          if (!(error instanceof OpsError)) throw error;
        }
      }),
      { numRuns: 500 },
    );
  });
});
