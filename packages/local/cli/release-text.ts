import { stripVTControlCharacters } from 'node:util';
import * as z from 'zod';
import { drawTable } from './text-table.ts';

const Summary = z.looseObject({
  id: z.string(),
  application: z.string(),
  environment: z.string(),
  version: z.string(),
  state: z.string(),
  step: z.number(),
  steps: z.number(),
  weight: z.number(),
  sentence: z.string(),
});
type Summary = z.infer<typeof Summary>;

/** What the API says of many releases. */
export const ReleaseList = z.looseObject({ releases: z.array(Summary) });

/** What it says of one, as far as a terminal shows it. */
export const ReleaseAnswer = Summary.extend({
  gates: z.array(z.looseObject({ name: z.string(), state: z.string(), sentence: z.string() })),
  plan: z.array(z.looseObject({ step: z.number(), name: z.string(), weight: z.number(), state: z.string() })),
  history: z.array(z.looseObject({ at: z.string(), sentence: z.string() })).default([]),
});
export type ReleaseAnswer = z.infer<typeof ReleaseAnswer>;

/** Lines of a table, the newest release first. */
export function listLines(releases: readonly Summary[], columns: number | undefined): string[] {
  if (releases.length === 0) return ['no releases'];
  const column = (title: string, cell: (release: Summary) => string, align: 'left' | 'right' = 'left') => ({
    title,
    align,
    cells: releases.map((each) => plain(cell(each))),
  });
  return drawTable(
    [
      column('ID', ({ id }) => id),
      column('APPLICATION', ({ application }) => application),
      column('ENVIRONMENT', ({ environment }) => environment),
      column('VERSION', ({ version }) => version),
      column('STATE', ({ state }) => state),
      column('STEP', ({ step, steps }) => `${step}/${steps}`, 'right'),
      column('WEIGHT', ({ weight }) => `${weight} %`, 'right'),
      column('', ({ sentence }) => sentence),
    ],
    columns,
  );
}

const MARKS: Readonly<Record<string, string>> = { open: '+', shut: '-', failed: 'x', running: '.', done: '+', current: '>', never: 'x' };

/** One release with its steps, gates and history. */
export function showLines(release: ReleaseAnswer): string[] {
  const { id, application, environment, version, state, weight, sentence, gates, plan, history } = release;
  const mark = (of: string) => MARKS[of] ?? ' ';
  return [
    `${application} ${version} in ${environment}: ${state}, ${weight} % of the traffic (${id})`,
    sentence,
    '',
    ...plan.map((step) => `${mark(step.state)} ${step.step}. ${step.name} (${step.weight} %)`),
    ...(gates.length > 0 ? ['', 'Gates'] : []),
    ...gates.map((gate) => `${mark(gate.state)} ${gate.name} is ${gate.state}: ${gate.sentence}`),
    ...(history.length > 0 ? ['', 'History'] : []),
    ...history.map((entry) => `${entry.at}  ${entry.sentence}`),
  ].map(plain);
}

/** What others have written must not steer a terminal. */
export function plain(text: string): string {
  return stripVTControlCharacters(text).replace(/[\p{Cc}]/gu, ' ');
}
