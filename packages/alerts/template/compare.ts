import { OpsError } from '#core/errors.ts';
import { compareUtf8 } from '#core/text.ts';
import { type Charge, formatValue } from './go-format.ts';
import { type GoList, type GoMap, type GoPointer, type GoStruct, typeName, type Value } from './go-values.ts';

type Basic = boolean | bigint | number | string;

/** A value as its basic kind; undefined for what has none. */
function basic(value: Value): Basic | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'object') return value;
  return value.kind === 'named' ? value.value : undefined;
}

/** Go's `==` between template values: an int never equals a float, and comparing them is a mistake. */
export function compareEqual(a: Value, b: Value, charge: Charge): boolean {
  const left = basic(a);
  const right = basic(b);
  if (typeof left !== typeof right) {
    if (a === undefined || b === undefined || a === null || b === null) return false;
    throw new OpsError('input', 'incompatible types for comparison');
  }
  if (left !== undefined) return left === right;
  return compareComposite(a, b, charge);
}

function compareComposite(a: Value, b: Value, charge: Charge): boolean {
  if (a === undefined || a === null || b === undefined || b === null) return (a ?? null) === (b ?? null);
  const left = a as GoList | GoMap | GoStruct | GoPointer;
  const right = b as GoList | GoMap | GoStruct | GoPointer;
  if (left.kind !== right.kind)
    throw new OpsError(
      'input',
      `non-comparable types ${formatValue(a, charge)}: ${typeName(a)}, ${typeName(b)}: ${formatValue(b, charge)}`,
    );
  if (right.kind === 'list' || right.kind === 'map') {
    throw new OpsError('input', `non-comparable type ${formatValue(b, charge)}: ${typeName(b)}`);
  }
  return left === right;
}

/** Go's `<` between template values: ints, floats or texts of one kind. */
export function compareLess(a: Value, b: Value): boolean {
  const left = basic(a);
  const right = basic(b);
  if (left === undefined || right === undefined) throw new OpsError('input', 'invalid type for comparison');
  if (typeof left !== typeof right) throw new OpsError('input', 'incompatible types for comparison');
  if (typeof left === 'boolean') throw new OpsError('input', 'invalid type for comparison');
  return typeof left === 'string' ? compareUtf8(left, right as string) < 0 : left < (right as bigint | number);
}
