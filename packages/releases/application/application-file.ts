import * as z from 'zod';
import type { Json } from '#model/json.ts';
import { durationField, strictFields } from '#model/strict-fields.ts';
import type { Application, Environment, PipelineStage, ReleaseStep } from './application.ts';
import { FreezeWindow } from './freeze-window.ts';
import { type GateContext, GateField, plainGate, toGate } from './gate.ts';
import { type StepFields, Strategy, stepsOf } from './strategy.ts';

export interface AnalysisFacts {
  /** Between two looks. */
  readonly intervalMs?: number | undefined;
  /** It compares with the stable version at the same time, which has to have traffic then. */
  readonly needsStable?: boolean | undefined;
}

/** What a file of an application says of things that others know better. */
export interface ApplicationFileParts {
  /** An analysis; what comes of it is handed to the judge. */
  readonly analysis: z.ZodType<Json>;
  /** What gates have to know of an analysis; of one that says nothing nothing is known. */
  readonly describeAnalysis?: ((analysis: Json) => AnalysisFacts) | undefined;
  /** The settings of each driver by its type; undefined: any type, and any settings. */
  readonly drivers?: Readonly<Record<string, z.ZodType<Readonly<Record<string, unknown>>>>> | undefined;
}

const NAME = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/, 'must be 1 to 63 letters, digits, dots, dashes and underscores');
const gates = z.array(GateField).max(20).default([]);
const names = z.array(NAME).max(50);

const PipelineStageField = strictFields({
  stage: z.enum(['build', 'test', 'package', 'deploy', 'verify']),
  environment: NAME.optional(),
  checks: z.array(z.string().min(1).max(200)).max(50).default([]),
  needs: z.array(z.enum(['digest', 'sbom'])).default([]),
}).superRefine(({ stage, environment, checks, needs }, context) => {
  const refuse = (field: string, message: string) => context.addIssue({ code: 'custom', path: [field], message });
  const isPlaced = stage === 'deploy' || stage === 'verify';
  if (isPlaced && environment === undefined) refuse('environment', `is missing; ${stage} names an environment`);
  if (!isPlaced && environment !== undefined) refuse('environment', `belongs to deploy and verify, not to ${stage}`);
  if (stage === 'deploy' && checks.length > 0) refuse('checks', 'belong to the stages around a deploy');
  if (stage !== 'package' && needs.length > 0) refuse('needs', 'belong to the stage package');
});

function driverField(parts: ApplicationFileParts) {
  const { drivers } = parts;
  return z.looseObject({ type: z.string().min(1).max(100) }).transform(({ type, ...rest }, context) => {
    const schema = drivers?.[type];
    if (drivers && !schema) {
      context.addIssue({ code: 'custom', path: ['type'], message: `is no driver here; accepted: ${Object.keys(drivers).join(', ')}` });
      return z.NEVER;
    }
    const parsed = schema?.safeParse(rest, { reportInput: true });
    if (parsed && !parsed.success) {
      for (const issue of parsed.error.issues) context.addIssue({ ...issue } as never);
      return z.NEVER;
    }
    return { type, settings: parsed ? parsed.data : (rest as Readonly<Record<string, unknown>>) };
  });
}

function environmentField(parts: ApplicationFileParts) {
  return strictFields({
    name: NAME,
    driver: driverField(parts).optional(),
    strategy: Strategy.default({ canary: 'AllAtOnce' }),
    starts: z.array(z.enum(['requested', 'promoted', 'seen'])).default(['requested']),
    requires: names.optional(),
    /** `start`: before anything is shifted; `step`: after each step that has traffic; `promotion`: after the last. */
    gates: strictFields({ start: gates, step: gates, promotion: gates }).default({ start: [], step: [], promotion: [] }),
    background: z.array(NAME).max(10).default([]),
    deadline: durationField('1m', '90d').default(86_400_000),
    onNewer: z.enum(['queue', 'supersede']).default('queue'),
  });
}
type EnvironmentField = z.infer<ReturnType<typeof environmentField>>;

function fileFields(parts: ApplicationFileParts) {
  return strictFields({
    application: NAME,
    repository: z.union(
      [
        z
          .string()
          .min(1)
          .max(400)
          .transform((one) => [one]),
        z.array(z.string().min(1).max(400)).min(1).max(20),
      ],
      {
        error: 'takes owner/name, or a list of them',
      },
    ),
    service: z.record(z.string().min(1).max(200), z.string().max(1_000)).default({}),
    refs: z.array(z.string().min(1).max(200)).max(50).default([]),
    analyses: z.record(NAME, parts.analysis).default({}),
    freezes: z.record(NAME, FreezeWindow).default({}),
    pipeline: z.array(PipelineStageField).max(50).default([]),
    environments: z.array(environmentField(parts)).min(1).max(20),
  });
}
type FileFields = z.infer<ReturnType<typeof fileFields>>;

/** The schema of `applications/*.yaml`: what is wrong is told at its place, and what comes of it needs no other file. */
export function applicationFile(parts: ApplicationFileParts): z.ZodType<Application> {
  const describe = (file: FileFields): Describe => {
    return (name) => {
      const analysis = Object.hasOwn(file.analyses, name) ? file.analyses[name] : undefined;
      return analysis === undefined ? {} : (parts.describeAnalysis?.(analysis) ?? {});
    };
  };
  return fileFields(parts)
    .superRefine(checkNames)
    .transform((file, context) => {
      const application = compileApplication(file, describe(file));
      refuseLonely(application, describe(file), context);
      return application;
    }) as z.ZodType<Application>;
}

type Describe = (analysis: string) => AnalysisFacts;

/** At a step that has all traffic there is nothing left to compare with: such a gate would never open, nor an analysis that has no other step. */
function refuseLonely({ environments }: Application, describe: Describe, context: z.RefinementCtx): void {
  environments.forEach(({ plan }, i) => {
    const whole = plan.steps.filter(({ weight }) => weight === 100).flatMap(({ after }) => after);
    const isShared = plan.steps.some(({ weight }) => weight > 0 && weight < 100);
    const lonely = [...whole, ...(isShared ? [] : plan.background)].find(
      (gate) => gate.kind === 'analysis' && describe(gate.analysis).needsStable,
    );
    if (lonely?.kind !== 'analysis') return;
    const message = `${lonely.analysis} compares with the stable version at the same time, which has no traffic beside the last step's 100 %; name it after steps below that, or give its metrics another baseline`;
    context.addIssue({ code: 'custom', path: ['environments', i], message });
  });
}

/** Names that gates, stages and environments refer to have to be there. */
function checkNames(file: FileFields, context: z.RefinementCtx): void {
  const refuse = (path: readonly PropertyKey[], message: string) => context.addIssue({ code: 'custom', path: [...path], message });
  const order = file.environments.map(({ name }) => name);
  const known = (of: Readonly<Record<string, unknown>>) => Object.keys(of).join(', ') || 'none is defined';
  const checkGates = (list: readonly GateField[], path: readonly PropertyKey[]) =>
    list.forEach(({ analysis, freeze, promoted }, i) => {
      if (analysis !== undefined && !Object.hasOwn(file.analyses, analysis))
        refuse([...path, i, 'analysis'], `is no analysis of this file; there are: ${known(file.analyses)}`);
      for (const [j, name] of (freeze ?? []).entries())
        if (!Object.hasOwn(file.freezes, name))
          refuse([...path, i, 'freeze', j], `is no freeze of this file; there are: ${known(file.freezes)}`);
      for (const [j, name] of (promoted ?? []).entries())
        if (!order.includes(name)) refuse([...path, i, 'promoted', j], `is no environment of this file; there are: ${order.join(', ')}`);
    });
  file.environments.forEach((environment, i) => {
    const path = ['environments', i];
    if (order.indexOf(environment.name) !== i) refuse([...path, 'name'], `is the name of two environments: ${environment.name}`);
    for (const when of ['start', 'step', 'promotion'] as const) checkGates(environment.gates[when], [...path, 'gates', when]);
    for (const [j, name] of environment.background.entries())
      if (!Object.hasOwn(file.analyses, name))
        refuse([...path, 'background', j], `is no analysis of this file; there are: ${known(file.analyses)}`);
    for (const [j, name] of (environment.requires ?? []).entries())
      if (!order.slice(0, i).includes(name))
        refuse(
          [...path, 'requires', j],
          `is no environment before ${environment.name}; there are: ${order.slice(0, i).join(', ') || 'none'}`,
        );
    checkStrategyGates(environment.strategy, [...path, 'strategy'], checkGates);
  });
  file.pipeline.forEach(({ environment }, i) => {
    if (environment !== undefined && !order.includes(environment))
      refuse(['pipeline', i, 'environment'], `is no environment of this file; there are: ${order.join(', ')}`);
  });
}

type CheckGates = (list: readonly GateField[], path: readonly PropertyKey[]) => void;

function checkStrategyGates({ canary, blueGreen, rolling, flag }: Strategy, path: readonly PropertyKey[], check: CheckGates): void {
  if (blueGreen) {
    check(blueGreen.beforeSwitch, [...path, 'blueGreen', 'beforeSwitch']);
    check(blueGreen.afterBake, [...path, 'blueGreen', 'afterBake']);
  }
  if (rolling) check(rolling.after, [...path, 'rolling', 'after']);
  const stepped = { canary: typeof canary === 'string' ? [] : (canary?.steps ?? []), flag: flag?.steps ?? [] };
  for (const [kind, steps] of Object.entries(stepped)) {
    steps.forEach(({ before, after }, i) => {
      check(before, [...path, kind, 'steps', i, 'before']);
      check(after, [...path, kind, 'steps', i, 'after']);
    });
  }
}

function compileApplication(file: FileFields, describe: Describe): Application {
  const pipeline: PipelineStage[] = file.pipeline;
  return {
    name: file.application,
    repositories: file.repository,
    service: file.service,
    refs: file.refs,
    pipeline,
    environments: file.environments.map((_, i) => compileEnvironment(file, i, describe)),
  };
}

function compileEnvironment(file: FileFields, index: number, describe: Describe): Environment {
  const environment = file.environments[index] as EnvironmentField;
  const context = { service: file.service, freezes: file.freezes, intervalOf: (name: string) => describe(name).intervalMs };
  const { before, verify, requires } = readPipeline(file, index);
  const { start, step, promotion } = environment.gates;
  const fields = stepsOf(environment.strategy);
  const last = fields.length - 1;
  const isShared = fields.some(({ weight }) => weight > 0 && weight < 100);
  // What compares with the version before is done where that has no traffic any more, if it could be done before.
  const isComparable = ({ analysis }: GateField) => analysis === undefined || !describe(analysis).needsStable;
  const gatesAt = (weight: number) => (weight === 100 && isShared ? step.filter(isComparable) : weight > 0 ? step : []);
  const entry: GateField[] = [...before, ...start];
  if (requires.length > 0) entry.unshift(plainGate({ promoted: requires }));
  const steps = fields.map((each, i) =>
    compileStep(each, i, context, {
      before: i === 0 ? entry : [],
      after: [...gatesAt(each.weight), ...(i === last ? [...verify, ...promotion] : [])],
    }),
  );
  const background = environment.background.map((analysis, i) => toGate(plainGate({ analysis }), `background/${i}`, context));
  return {
    name: environment.name,
    starts: environment.starts,
    requires,
    plan: {
      driver: environment.driver,
      strategy: nameStrategy(environment.strategy),
      ...{ steps, background, analyses: file.analyses },
      deadlineMs: environment.deadline,
      keepMs: environment.strategy.blueGreen?.keep ?? 0,
      onNewer: environment.onNewer,
    },
  };
}

function nameStrategy({ canary, blueGreen, rolling }: Strategy): string {
  if (typeof canary === 'string') return canary;
  if (canary) return 'canary';
  return blueGreen ? 'blue/green' : rolling ? 'rolling' : 'flag';
}

interface MoreGates {
  readonly before: readonly GateField[];
  readonly after: readonly GateField[];
}

function compileStep({ before, after, ...step }: StepFields, index: number, context: GateContext, more: MoreGates): ReleaseStep {
  const gatesOf = (when: string, list: readonly GateField[]) => list.map((field, i) => toGate(field, `${index}/${when}/${i}`, context));
  return { ...step, before: gatesOf('before', [...more.before, ...before]), after: gatesOf('after', [...after, ...more.after]) };
}

/**
 * What the stages in front of an environment's deploy come to: checks, what has to be known of the artifact, environments to be promoted
 * in. Without a deploy of its own in the pipeline, an environment follows the one before it.
 */
function readPipeline(file: FileFields, index: number): { before: GateField[]; verify: GateField[]; requires: string[] } {
  const { name, requires } = file.environments[index] as EnvironmentField;
  const at = file.pipeline.findIndex(({ stage, environment }) => stage === 'deploy' && environment === name);
  const stages = file.pipeline.slice(0, Math.max(0, at));
  const checks = stages.filter(({ stage }) => stage !== 'verify').flatMap((stage) => stage.checks);
  const needs = stages.flatMap((stage) => stage.needs);
  const deployed = stages.flatMap(({ stage, environment }) => (stage === 'deploy' && environment !== undefined ? [environment] : []));
  const before = [...(checks.length > 0 ? [plainGate({ checks })] : []), ...(needs.length > 0 ? [plainGate({ artifact: needs })] : [])];
  const verified = file.pipeline
    .filter(({ stage, environment }) => stage === 'verify' && environment === name)
    .flatMap((stage) => stage.checks);
  const previous = index === 0 ? [] : [file.environments[index - 1]?.name ?? ''];
  return {
    before,
    verify: verified.length > 0 ? [plainGate({ checks: verified })] : [],
    requires: requires ?? (at < 0 ? previous : [...new Set(deployed)]),
  };
}
