import { OpsError } from '#core/errors.ts';
import { executeTemplate } from './execute.ts';
import { formatValue } from './go-format.ts';
import { byteLength, type CallContext, indirect, type QueryRow, type Value } from './go-values.ts';
import { createHtmlOutput } from './html-output.ts';
import { parseTemplate, type Template } from './parse.ts';
import type { Output, State } from './state.ts';
import { limitError } from './template-errors.ts';

/** How much a rendering may do and give. */
export interface TemplateLimits {
  readonly outputBytes: number;
  /** Nodes, calls and stretches of text, over all runs of one rendering. */
  readonly steps: number;
  readonly queries: number;
}

const defaultLimits: TemplateLimits = { outputBytes: 1_000_000, steps: 500_000, queries: 50 };

export interface RenderOptions {
  readonly nowMs: number;
  readonly externalUrl?: string;
  /** Rows of an instant query at the time of the rendering; without it `query` is an error. */
  readonly query?: (expression: string) => Promise<readonly QueryRow[]>;
  readonly limits?: TemplateLimits;
  /** `html` escapes what is printed for where it stands, as html/template does. */
  readonly mode?: 'text' | 'html';
}

/** A query that must be made first; what it gives is kept and the template is run again from the start. */
const unknownQuery = new Error('the rows of a query are not known yet');

/**
 * Renders a template. `input` with Go's words where the template goes wrong, `limit` where it does or prints too much; an error of
 * a query keeps its kind.
 */
export async function renderTemplate(template: Template, data: Value, options: RenderOptions): Promise<string> {
  const rows = new Map<string, readonly QueryRow[] | OpsError>();
  const run = startRun(template, data, options, rows);
  for (;;) {
    try {
      return run.once();
    } catch (error) {
      if (error !== unknownQuery) throw error;
    }
    if (rows.size >= run.limits.queries) throw limitError(template.name, `more than ${run.limits.queries} queries`);
    rows.set(run.wanted(), await fetchRows(run.wanted(), options));
  }
}

async function fetchRows(expression: string, { query }: RenderOptions): Promise<readonly QueryRow[] | OpsError> {
  try {
    return await (query as NonNullable<typeof query>)(expression);
  } catch (error) {
    if (error instanceof OpsError) return error;
    throw error;
  }
}

interface Run {
  readonly limits: TemplateLimits;
  readonly once: () => string;
  /** The query that stopped the last run. */
  readonly wanted: () => string;
}

function startRun(template: Template, data: Value, options: RenderOptions, rows: ReadonlyMap<string, readonly QueryRow[] | OpsError>): Run {
  const limits = options.limits ?? defaultLimits;
  const budget = { steps: limits.steps };
  let wanted = '';
  const charge = (steps: number) => {
    budget.steps -= steps;
    if (budget.steps < 0) throw limitError(template.name, `took more than ${limits.steps} steps`);
  };
  const query = (expression: string) => {
    if (!options.query) throw new OpsError('input', 'queries cannot be made here');
    const known = rows.get(expression);
    if (known instanceof OpsError) throw known;
    if (known) return known;
    wanted = expression;
    throw unknownQuery;
  };
  const once = () => {
    const depth: State['depth'] = { nodes: 0, templates: 0 };
    const labels: string[] = [];
    const context: CallContext = {
      nowMs: options.nowMs,
      externalUrl: options.externalUrl ?? '',
      query,
      charge,
      data,
      render: (text, label) => {
        if (labels.includes(label)) throw new OpsError('input', `route label cycle detected: ${[...labels, label].join(' -> ')}`);
        labels.push(label);
        const inner = parseTemplate(text, { name: '', functions: template.set.functions, set: template.set });
        const rendered = write(inner, data, context, limits, options.mode, depth);
        labels.pop();
        return rendered;
      },
    };
    return write(template, data, context, limits, options.mode, depth);
  };
  return { limits, once, wanted: () => wanted };
}

function write(
  template: Template,
  data: Value,
  context: CallContext,
  limits: TemplateLimits,
  mode: 'text' | 'html' | undefined,
  depth: State['depth'],
): string {
  const parts: string[] = [];
  let bytes = 0;
  const append = (text: string) => {
    bytes += byteLength(text);
    if (bytes > limits.outputBytes) throw limitError(template.name, `gives more than ${limits.outputBytes} bytes`);
    parts.push(text);
  };
  executeTemplate(template, data, context, mode === 'html' ? createHtmlOutput(append, context) : createTextOutput(append, context), depth);
  return parts.join('');
}

function createTextOutput(append: (text: string) => void, { charge }: CallContext): Output {
  return { writeText: append, printValue: (value) => append(printText(value, charge)) };
}

/** A value as an action prints it. */
function printText(value: Value, charge: CallContext['charge']): string {
  if (typeof value === 'string') return value;
  const target = indirect(value);
  return target === undefined || target === null ? '<no value>' : formatValue(target, charge);
}
