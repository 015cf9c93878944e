import { quoteGo } from '#alerts/go-quote.ts';
import { OpsError } from '#core/errors.ts';
import type { Command, Node, Operand, Pipe, Tree } from './nodes.ts';
import { describeNode } from './nodes.ts';

/** `template: name:3:14: executing "name" at <.Foo>: message`, as Go words it; line from 1, column in bytes from 0. */
export function describePlace(tree: Tree, at: Node | Operand | Pipe | Command | undefined, message: string): string {
  if (!at) return `template: ${tree.name}: ${message}`;
  const before = tree.text.slice(0, at.pos);
  const lineStart = before.lastIndexOf('\n') + 1;
  const column = Buffer.byteLength(before.slice(lineStart));
  const line = before.split('\n').length;
  return `template: ${tree.parseName}:${line}:${column}: executing ${quoteGo(tree.name)} at <${describeNode(at)}>: ${message}`;
}

/** A template that does or gives too much; its name may be ''. */
export function limitError(name: string, message: string): OpsError {
  return new OpsError('limit', `template: ${name === '' ? '' : `${name}: `}${message}`, {
    hint: 'Shorten what the template prints, or what it loops over.',
  });
}
