import { compileAnchored } from '#core/re2.ts';

/** One label matcher of a selector; regular expressions are RE2, anchored at both ends. */
export interface Matcher {
  readonly name: string;
  readonly op: '=' | '!=' | '=~' | '!~';
  readonly value: string;
}

/** The test of a matcher on a label's value (the empty string where the label is absent). */
export function compileMatcher(matcher: Matcher): (value: string) => boolean {
  switch (matcher.op) {
    case '=':
      return (value) => value === matcher.value;
    case '!=':
      return (value) => value !== matcher.value;
    case '=~': {
      const regex = compileAnchored(matcher.value);
      return (value) => regex.test(value);
    }
    case '!~': {
      const regex = compileAnchored(matcher.value);
      return (value) => !regex.test(value);
    }
  }
}
