/** One parsed text: the body of a template, and where it was written. */
export interface Tree {
  readonly name: string;
  /** The text it was parsed with, and that text's name, for positions. */
  readonly parseName: string;
  readonly text: string;
  readonly root: readonly Node[];
}

/** Every `pos` is an offset into the text, in UTF-16 units. */
export type Node =
  | { readonly kind: 'text'; readonly pos: number; readonly text: string }
  | { readonly kind: 'action'; readonly pos: number; readonly pipe: Pipe }
  | Branch
  | { readonly kind: 'template'; readonly pos: number; readonly name: string; readonly pipe: Pipe | undefined }
  | { readonly kind: 'break' | 'continue'; readonly pos: number };

export interface Branch {
  readonly kind: 'if' | 'with' | 'range';
  readonly pos: number;
  readonly pipe: Pipe;
  readonly list: readonly Node[];
  readonly otherwise: readonly Node[] | undefined;
}

export interface Pipe {
  readonly kind: 'pipe';
  readonly pos: number;
  readonly declares: readonly Variable[];
  /** `=` instead of `:=`. */
  readonly assigns: boolean;
  readonly commands: readonly Command[];
}

export interface Command {
  readonly kind: 'command';
  readonly pos: number;
  readonly args: readonly Operand[];
}

export interface Variable {
  readonly kind: 'variable';
  readonly pos: number;
  /** `$x`, then fields. */
  readonly path: readonly string[];
}

export interface Constant {
  readonly kind: 'number';
  readonly pos: number;
  readonly source: string;
  /** What it is where nothing asks for a type: bigint an int, number a float; undefined where it overflows an int. */
  readonly value: bigint | number | undefined;
  readonly asInt: bigint | undefined;
  readonly asFloat: number;
}

export type Operand =
  | { readonly kind: 'dot' | 'nil'; readonly pos: number }
  | { readonly kind: 'bool'; readonly pos: number; readonly value: boolean }
  | { readonly kind: 'string'; readonly pos: number; readonly source: string; readonly value: string }
  | { readonly kind: 'field'; readonly pos: number; readonly path: readonly string[] }
  | { readonly kind: 'function'; readonly pos: number; readonly name: string }
  | { readonly kind: 'chain'; readonly pos: number; readonly of: Operand; readonly path: readonly string[] }
  | Constant
  | Variable
  | Pipe;

/** A node in the words of the language, as error messages quote it. */
export function describeNode(node: Node | Operand | Command): string {
  switch (node.kind) {
    case 'dot':
      return '.';
    case 'nil':
      return 'nil';
    case 'bool':
      return String(node.value);
    case 'string':
    case 'number':
      return node.source;
    case 'field':
      return node.path.map((name) => `.${name}`).join('');
    case 'variable':
      return node.path.join('.');
    case 'function':
      return node.name;
    case 'chain':
      return `${describeArgument(node.of)}${node.path.map((name) => `.${name}`).join('')}`;
    case 'pipe': {
      const declares = node.declares.map(describeNode).join(', ');
      const commands = node.commands.map(describeNode).join(' | ');
      return declares === '' ? commands : `${declares} ${node.assigns ? '=' : ':='} ${commands}`;
    }
    case 'command':
      return node.args.map(describeArgument).join(' ');
    case 'text':
      return JSON.stringify(node.text);
    case 'action':
      return `{{${describeNode(node.pipe)}}}`;
    case 'template':
      return `{{template ${JSON.stringify(node.name)}${node.pipe ? ` ${describeNode(node.pipe)}` : ''}}}`;
    case 'break':
    case 'continue':
      return `{{${node.kind}}}`;
    default:
      return `{{${node.kind} ${describeNode(node.pipe)}}}`;
  }
}

function describeArgument(node: Operand): string {
  return node.kind === 'pipe' ? `(${describeNode(node)})` : describeNode(node);
}
