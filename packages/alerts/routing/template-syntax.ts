import { OpsError } from '#core/errors.ts';

/** True for a text that is a template; `input` where one of its actions has no end. The rest of its syntax is checked when it is used. */
export function isTemplate(text: string): boolean {
  let at = text.indexOf('{{');
  if (at < 0) return false;
  while (at >= 0) {
    const end = text.indexOf('}}', at + 2);
    if (end < 0) throw new OpsError('input', 'invalid template syntax: unclosed action');
    at = text.indexOf('{{', end + 2);
  }
  return true;
}
