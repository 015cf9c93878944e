import { readBody } from '#api/read-body.ts';
import { OpsError } from '#core/errors.ts';

/** The largest form, as in Prometheus' own server. */
const MAX_FORM_BYTES = 10 * 1024 * 1024;

/** The most parameters of a form; the platform's parser takes time that grows with their square. */
const MAX_FORM_PARAMETERS = 10_000;

const FORM_TYPE = 'application/x-www-form-urlencoded';

/**
 * The parameters of a request: those of the address, after those of a posted form, so that the form's win. `limit` for a form of more
 * than 10 MiB or 10,000 parameters, `input` for one that is no UTF-8.
 */
export async function readForm(request: Request): Promise<URLSearchParams> {
  const { searchParams } = new URL(request.url);
  const type = request.headers.get('content-type')?.split(';')[0].trim().toLowerCase();
  if (request.method !== 'POST' || type !== FORM_TYPE) return searchParams;
  const text = decodeForm(await readBody(request, MAX_FORM_BYTES));
  if (countSeparators(text) >= MAX_FORM_PARAMETERS) throw new OpsError('limit', `the form has more than ${MAX_FORM_PARAMETERS} parameters`);
  const form = new URLSearchParams(text);
  for (const [name, value] of searchParams) form.append(name, value);
  return form;
}

function countSeparators(text: string): number {
  let count = 0;
  for (let at = text.indexOf('&'); at >= 0 && count < MAX_FORM_PARAMETERS; at = text.indexOf('&', at + 1)) count++;
  return count;
}

function decodeForm(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new OpsError('input', 'error parsing form values: the form is not UTF-8', { cause });
  }
}
