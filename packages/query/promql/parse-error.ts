import { OpsError } from '#core/errors.ts';

/** `line:column` of a UTF-16 offset, both from 1, the column counted in UTF-8 bytes as Prometheus does. */
export function locate(text: string, position: number): string {
  if (text === '') return 'unknown position';
  const lineStart = text.lastIndexOf('\n', position - 1) + 1;
  let line = 1;
  if (position > 0) for (let at = text.indexOf('\n'); at !== -1 && at < position; at = text.indexOf('\n', at + 1)) line++;
  const column = position === 0 ? 1 : Buffer.byteLength(text.slice(lineStart, position)) + 1;
  return `${line}:${column}`;
}

/** The error of a query that cannot be parsed: `1:5: parse error: ...`. */
export function parseError(text: string, position: number, message: string): OpsError {
  return new OpsError('input', `${locate(text, position)}: parse error: ${message}`);
}
