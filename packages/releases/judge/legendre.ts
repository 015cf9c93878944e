/** Nodes in (-1, 1), ascending, and weights of an integration rule. */
export interface IntegrationRule {
  readonly nodes: Float64Array;
  readonly weights: Float64Array;
}

const known = new Map<number, IntegrationRule>();

/** Gauss and Legendre's rule with `count` nodes, by Newton's method on the polynomial's recurrence; kept, since few counts occur. */
export function legendreRule(count: number): IntegrationRule {
  const rule = known.get(count) ?? makeRule(count);
  known.set(count, rule);
  return rule;
}

function makeRule(count: number): IntegrationRule {
  const nodes = new Float64Array(count);
  const weights = new Float64Array(count);
  for (let i = 0; i < count; i++) {
    let x = -Math.cos((Math.PI * (i + 0.75)) / (count + 0.5));
    let slope = 1;
    for (let step = 0; step < 20; step++) {
      const at = polynomial(count, x);
      slope = at.slope;
      x -= at.value / slope;
      if (Math.abs(at.value / slope) < 1e-16) break;
    }
    nodes[i] = x;
    weights[i] = 2 / ((1 - x * x) * slope * slope);
  }
  return { nodes, weights };
}

function polynomial(degree: number, x: number): { readonly value: number; readonly slope: number } {
  let value = 1;
  let before = 0;
  for (let j = 1; j <= degree; j++) [value, before] = [((2 * j - 1) * x * value - (j - 1) * before) / j, value];
  return { value, slope: (degree * (x * value - before)) / (x * x - 1) };
}
