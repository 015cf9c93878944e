import { isOpsError } from '#core/errors.ts';
import { compileFlag } from '#flags/compile-flag.ts';
import { checkFlagKey, type FlagDefinition, readFlagDefinition } from '#flags/flag-definition.ts';
import { isRange } from '#flags/logic/additions.ts';
import type { Json } from '#model/json.ts';
import { allOf, anyOf, constraintRule, field } from './constraint-rule.ts';
import { type Feature, readUnleashState, type Strategy, type UnleashState, type Variant } from './unleash-state.ts';

/** Flags of ours that Unleash's features come to, and what of them could not be carried over. */
export interface Translated {
  readonly flags: ReadonlyMap<string, FlagDefinition>;
  readonly notes: readonly string[];
}

interface Translation {
  readonly state: UnleashState;
  readonly note: (why: string) => void;
}

/** Nobody gets a variant: the feature is off, or it has none. */
const OFF = 'unleash:off';
const NONE = 'unleash:none';

/**
 * Translates what Unleash's client API gives into flags of ours: `name`, true or false, and for a feature with variants `name:variant`, the whole
 * variant as Unleash's clients have it. `input` for what is no such thing; a feature that cannot be a flag is left out with a note.
 */
export function translateUnleash(value: unknown): Translated {
  const state = readUnleashState(value);
  const flags = new Map<string, FlagDefinition>();
  const notes: string[] = [];
  for (const feature of state.features.values()) {
    const translation = { state, note: (why: string) => void notes.push(`${feature.name}: ${why}`) };
    const own: [string, object][] = [[feature.name, booleanFlag(translation, feature)]];
    if (hasVariants(feature)) own.push([`${feature.name}:variant`, variantFlag({ ...translation, note: () => {} }, feature)]);
    for (const [key, flag] of own) {
      try {
        checkFlagKey(key);
        const definition = readFlagDefinition(flag, key);
        compileFlag(key, definition);
        flags.set(key, definition);
      } catch (error) {
        if (!isOpsError(error)) throw error;
        notes.push(`${key}: left out: ${error.message}`);
      }
    }
  }
  return { flags, notes };
}

const hasVariants = ({ variants, strategies }: Feature) =>
  variants.length > 0 || strategies.some((strategy) => strategy.variants.length > 0);

function metadataOf({ description, type, project }: Feature): object {
  const entries = Object.entries({ description, type, project }).filter(([, value]) => value);
  return entries.length > 0 ? { metadata: Object.fromEntries(entries) } : {};
}

function booleanFlag(translation: Translation, feature: Feature): object {
  const rule = allOf([...dependencyRules(translation, feature), strategiesRule(translation, feature)]);
  // The rules of a feature that is off are kept: to turn it on, take the false away.
  const targeting = { if: [feature.enabled ? rule : { and: [false, rule] }, 'on', 'off'] };
  return { state: 'ENABLED', variants: { on: true, off: false }, defaultVariant: 'off', targeting, ...metadataOf(feature) };
}

/** Whether a feature is on, but for what it depends on. */
function enabledRule(translation: Translation, feature: Feature): Json {
  return feature.enabled && strategiesRule(translation, feature);
}

function strategiesRule(translation: Translation, { strategies, name }: Feature): Json {
  const rules = strategies.map((strategy) => strategyRule(translation, strategy, name));
  return rules.length === 0 || rules.includes(true) ? true : anyOf(rules);
}

function strategyRule({ state, note }: Translation, strategy: Strategy, feature: string): Json {
  if (strategy.disabled) return false;
  const ofSegments = strategy.segments.map((id) => {
    const segment = state.segments.get(id);
    if (!segment) note(`there is no segment ${id}: the strategy ${strategy.name} never holds`);
    return segment ? allOf(segment.constraints.map((constraint) => constraintRule(constraint, note))) : false;
  });
  const own = strategy.constraints.map((constraint) => constraintRule(constraint, note));
  return allOf([...ofSegments, ...own, mainRule(strategy, feature, note)]);
}

function mainRule({ name, parameters }: Strategy, feature: string, note: (why: string) => void): Json {
  const text = (parameter: string) => String(parameters[parameter] ?? '');
  const words = (parameter: string) =>
    text(parameter)
      .split(',')
      .map((word) => word.trim())
      .filter((word) => word !== '');
  const rollout = (parameter: string, id: Json): Json => {
    const percentage = Number(text(parameter) || 0);
    return Number.isFinite(percentage)
      ? { unleash_rollout: [percentage, String(parameters.groupId ?? (name === 'flexibleRollout' ? feature : '')), id] }
      : false;
  };
  switch (name) {
    case 'default':
      return true;
    case 'userWithId':
      return { in: [field('userId'), words('userIds')] };
    case 'gradualRolloutUserId':
      return rollout('percentage', field('userId'));
    case 'gradualRolloutSessionId':
      return rollout('percentage', field('sessionId'));
    case 'gradualRolloutRandom':
      return rollout('percentage', stickinessRule('random'));
    case 'remoteAddress':
      return { in_cidr: [field('remoteAddress'), words('IPs').filter(isRange)] };
    case 'flexibleRollout':
      return rollout('rollout', stickinessRule(text('stickiness')));
    default:
      note(`the strategy ${name} is unknown here: it never holds`);
      return false;
  }
}

const stickinessRule = (stickiness: string): Json => ({ unleash_stickiness: stickiness || 'default' });

/** What has to hold of the features that this one depends on. One that depends on others itself satisfies nothing, as in Unleash. */
function dependencyRules(translation: Translation, { dependencies }: Feature): Json[] {
  return dependencies.map(({ feature, enabled, variants }) => {
    const parent = translation.state.features.get(feature);
    if (!parent || parent.dependencies.length > 0) {
      translation.note(`depends on ${feature}, which ${parent ? 'depends on others itself' : 'is not there'}: it is never on`);
      return false;
    }
    const rule = enabledRule(translation, parent);
    if (enabled === false) return { '!': [rule] };
    if (variants.length === 0) return rule;
    const name = variantRule(translation, parent, { keyOf: (variant) => variant.name, none: 'disabled', off: null });
    return allOf([rule, { in: [name, variants] }]);
  });
}

interface VariantWords {
  readonly keyOf: (variant: Variant) => string;
  readonly none: string;
  readonly off: string | null;
}

/** The variant of the first strategy that holds: its own ones, or the feature's. */
function variantRule(translation: Translation, feature: Feature, words: VariantWords): Json {
  if (!feature.enabled) return words.off;
  const ofFeature = splitRule(feature.variants, feature.name, 'default', words);
  if (feature.strategies.length === 0) return ofFeature;
  const branches = feature.strategies.flatMap((strategy): Json[] => {
    const { variants, parameters } = strategy;
    const group = String(parameters.groupId ?? feature.name);
    const split = variants.length > 0 ? splitRule(variants, group, String(parameters.stickiness || 'default'), words) : ofFeature;
    return [strategyRule(translation, strategy, feature.name), split];
  });
  return { if: [...branches, words.off] };
}

function splitRule(variants: readonly Variant[], group: string, stickiness: string, { keyOf, none }: VariantWords): Json {
  if (variants.reduce((sum, { weight }) => sum + weight, 0) === 0) return none;
  const overrides = variants.flatMap((variant) =>
    variant.overrides.flatMap(({ contextName, values }): Json[] => [{ in: [field(contextName), values] }, keyOf(variant)]),
  );
  const shares = variants.map((variant): Json => [keyOf(variant), variant.weight]);
  const split: Json = { unleash_split: [group, stickinessRule(variants[0]?.stickiness ?? stickiness), ...shares] };
  return overrides.length > 0 ? { if: [...overrides, split] } : split;
}

function variantFlag(translation: Translation, feature: Feature): object {
  const variants = new Map<string, Json>([
    [OFF, { name: 'disabled', enabled: false, feature_enabled: false }],
    [NONE, { name: 'disabled', enabled: false, feature_enabled: true }],
  ]);
  const keyOf = (variant: Variant): string => {
    const { name, payload } = variant;
    const value = { name, ...(payload && { payload: { type: payload.type, value: payload.value } }), enabled: true, feature_enabled: true };
    let key = name;
    // Two strategies may have variants of one name and different payloads.
    for (let i = 2; variants.has(key) && JSON.stringify(variants.get(key)) !== JSON.stringify(value); i++) key = `${name}~${i}`;
    variants.set(key, value);
    return key;
  };
  const rule = variantRule(translation, { ...feature, enabled: true }, { keyOf, none: NONE, off: OFF });
  const needs = allOf(dependencyRules(translation, feature));
  const targeting = { if: [feature.enabled ? needs : { and: [false, needs] }, rule, OFF] };
  return { state: 'ENABLED', variants: Object.fromEntries(variants), defaultVariant: OFF, targeting, ...metadataOf(feature) };
}
