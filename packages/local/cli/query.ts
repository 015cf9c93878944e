import { parseArgs } from 'node:util';
import * as z from 'zod';
import { OpsError } from '#core/errors.ts';
import { answerError } from './api-client.ts';
import { clientHelp, clientOptions, openClient } from './client-options.ts';
import type { Command } from './command.ts';
import { QueryData, renderResult } from './render-result.ts';
import { parseStepArgument, parseTimeArgument, timeForms } from './time-argument.ts';

const Answer = z.object({
  data: QueryData,
  warnings: z.array(z.string()).optional(),
  infos: z.array(z.string()).optional(),
});

/** `quarterdeck query EXPR`: PromQL from the command line. */
export const queryCommand: Command = {
  help: `Usage: quarterdeck query EXPR [--time T] [--url URL] [--token TOKEN] [--json]
       quarterdeck query EXPR --start T [--end T] [--step D] [--url URL] [--token TOKEN] [--json]

Prints the value of a PromQL expression at one time, or over a range of times with a small graph of each series.
  --time T       when to look; now if not given
  --start T      from when on, and
  --end T        until when: now if not given
  --step D       between two values, such as 30s; a hundredth of the range if not given
${clientHelp}
A time is ${timeForms}.`,
  async run(args) {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { ...clientOptions, time: { type: 'string' }, start: { type: 'string' }, end: { type: 'string' }, step: { type: 'string' } },
    });
    const [expr] = positionals;
    const misuse = positionals.length === 1 ? findMisuse(values) : 'takes one expression, in quotes where it has blanks; --help tells more';
    if (misuse !== undefined || expr === undefined) {
      console.error(`quarterdeck query: ${misuse}`);
      return 2;
    }
    const range = values.start === undefined ? undefined : rangeOf(values.start, values, Date.now());
    const time = values.time === undefined ? undefined : parseTimeArgument('time', values.time, Date.now()) / 1_000;
    const form = range ? { query: expr, ...strings(range) } : { query: expr, ...(time !== undefined && strings({ time })) };
    const body = new URLSearchParams(form);
    const answer = await openClient(values).request(`/api/v1/${range ? 'query_range' : 'query'}`, { method: 'POST', body });
    if (!answer.ok) throw pointAt(expr, await answerError(answer));
    print(await answer.text(), values.json === true, range);
    return 0;
  },
};

interface Times {
  readonly time?: string | undefined;
  readonly start?: string | undefined;
  readonly end?: string | undefined;
  readonly step?: string | undefined;
}

function findMisuse({ time, start, end, step }: Times): string | undefined {
  if (time !== undefined && start !== undefined) return '--time is for one time and --start for a range: give one of them';
  if (start === undefined && (end !== undefined || step !== undefined))
    return `--${end === undefined ? 'step' : 'end'} is for a range, which takes --start`;
  return undefined;
}

function rangeOf(startText: string, values: Times, nowMs: number): { start: number; end: number; step: number } {
  const start = parseTimeArgument('start', startText, nowMs) / 1_000;
  const end = values.end === undefined ? nowMs / 1_000 : parseTimeArgument('end', values.end, nowMs) / 1_000;
  if (end < start) throw new OpsError('input', '--end is before --start');
  const step = values.step === undefined ? Math.max(1, Math.ceil((end - start) / 100)) : parseStepArgument(values.step);
  return { start, end, step };
}

function strings(numbers: Readonly<Record<string, number>>): Record<string, string> {
  return Object.fromEntries(Object.entries(numbers).map(([name, value]) => [name, String(value)]));
}

function print(text: string, isJson: boolean, range: { start: number; end: number } | undefined): void {
  if (isJson) {
    console.log(text);
    return;
  }
  const answer = Answer.safeParse(JSON.parse(text));
  if (!answer.success)
    throw new OpsError('unavailable', `the server's answer is not as this command knows it: ${z.prettifyError(answer.error)}`);
  const { data, warnings = [], infos = [] } = answer.data;
  for (const note of [...warnings, ...infos]) console.error(`note: ${note}`);
  const lines = renderResult(data, { columns: process.stdout.columns, range });
  if (lines.length > 0) console.log(lines.join('\n'));
  else console.error('nothing found');
}

/** Shows the place that a parse error names (`2:5: parse error: ...`) in the expression. */
function pointAt(expr: string, error: OpsError): OpsError {
  const [, line, column] = /(\d+):(\d+): parse error/.exec(error.message) ?? [];
  const text = line === undefined ? undefined : expr.split('\n')[Number(line) - 1];
  if (text === undefined || error.hint !== undefined) return error;
  return new OpsError(error.kind, error.message, {
    hint: `  ${text.replaceAll('\t', ' ')}\n  ${' '.repeat(Math.max(0, Number(column) - 1))}^`,
  });
}
