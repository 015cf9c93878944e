import type { LabelSet } from '#model/alert.ts';
import type { Matcher } from '#model/matcher.ts';

/** Below this, testing all is as fast. */
const FEW = 4;

/**
 * Which of many lists of matchers may match a label set, as ascending places in `lists`: those that ask for a value which the labels have,
 * and those that ask for none. Time grows with the labels and what is found, not with the lists.
 */
export function indexMatchers(lists: readonly (readonly Matcher[])[]): (labels: LabelSet) => readonly number[] {
  const all = lists.map((_, i) => i);
  if (lists.length <= FEW) return () => all;
  const byValue = new Map<string, Map<string, number[]>>();
  const always: number[] = [];
  for (const [i, matchers] of lists.entries()) {
    const asked = matchers.find(({ op, value }) => op === '=' && value !== '');
    if (!asked) always.push(i);
    else placeAt(byValue, asked).push(i);
  }
  return (labels) => {
    const found = [...always];
    for (const name of Object.keys(labels)) {
      const places = byValue.get(name)?.get(labels[name] as string);
      if (places) for (const place of places) found.push(place);
    }
    return found.length === always.length ? found : found.sort((a, b) => a - b);
  };
}

function placeAt(byValue: Map<string, Map<string, number[]>>, { name, value }: Matcher): number[] {
  const values = byValue.get(name) ?? new Map<string, number[]>();
  byValue.set(name, values);
  const places = values.get(value) ?? [];
  values.set(value, places);
  return places;
}
