import { OpsError } from '#core/errors.ts';
import { compileSearch, expandTemplate, type Re2Search } from '#core/re2.ts';
import type { CallContext, FunctionTable, GoFunction, GoList, GoNamed, GoType, Value } from './go-values.ts';

function markType(name: string): GoType {
  return { name };
}

/** Text that a rendering in HTML takes as it is. */
const htmlType = markType('template.HTML');
/** Text that a rendering in HTML takes as a whole URL. */
export const urlType = markType('template.URL');

/** Characters of text that a step pays for. */
const STEP_CHARS = 32;

/** A function of one text. */
export function textFunction(change: (text: string) => Value): GoFunction {
  return {
    params: ['string'],
    call: ([text], { charge }) => {
      charge(1 + Math.ceil((text as string).length / STEP_CHARS));
      return change(text as string);
    },
  };
}

/** A function that marks a text as one of a type. */
export function markFunction(type: GoType): GoFunction {
  return textFunction((text): GoNamed => ({ kind: 'named', type, value: text }));
}

function search(pattern: string, text: string, { charge }: CallContext): Re2Search {
  charge(100 + Math.ceil(text.length / 4));
  return compileSearch(pattern);
}

function match([pattern, text]: readonly Value[], context: CallContext): Value {
  return search(pattern as string, text as string, context).test(text as string);
}

function replaceAll([pattern, replacement, text]: readonly Value[], context: CallContext): Value {
  let compiled: Re2Search;
  try {
    compiled = search(pattern as string, text as string, context);
  } catch (cause) {
    if (!(cause instanceof OpsError) || cause.kind === 'limit') throw cause;
    throw new OpsError('input', `regexp: Compile(\`${pattern}\`): ${cause.message}`, { cause });
  }
  return compiled.replaceAll(text as string, (found) => {
    const expanded = expandTemplate(replacement as string, found);
    context.charge(1 + Math.ceil(expanded.length / STEP_CHARS));
    return expanded;
  });
}

/** The words of a text as titles have them: letters, digits and underscores, and what joins two of them (`it's`, `a.b`). */
const words = /[\p{L}\p{M}\p{N}_]+(?:['’.:·][\p{L}\p{M}\p{N}_]+)*/gu;

/** Each word with its first letter in upper case; the others as they are, or in lower case. */
export function toTitle(text: string, lower: boolean): string {
  return text.replace(words, (word) =>
    word.replace(/^([^\p{L}]*)(\p{L})(.*)$/su, (_, before: string, first: string, rest: string) => {
      return before + first.toUpperCase() + (lower ? rest.toLowerCase() : rest);
    }),
  );
}

/** What both projects' templates have. */
export const textFunctions: FunctionTable = {
  toUpper: textFunction((text) => text.toUpperCase()),
  toLower: textFunction((text) => text.toLowerCase()),
  match: { params: ['string', 'string'], call: match },
  reReplaceAll: { params: ['string', 'string', 'string'], call: replaceAll },
  safeHtml: markFunction(htmlType),
};

/** Joins a list of texts; the separator comes first, so that the list can be piped. */
export function joinTexts([separator, list]: readonly Value[], { charge }: CallContext): Value {
  const { items } = list as GoList;
  let length = (separator as string).length * items.length;
  for (const item of items) length += (item as string).length;
  charge(1 + items.length + Math.ceil(length / 32));
  return items.join(separator as string);
}
