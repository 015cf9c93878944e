import { readBody } from '#api/read-body.ts';
import { OpsError } from '#core/errors.ts';

/** The largest form, as in Prometheus' own server. */
const MAX_FORM_BYTES = 10 * 1024 * 1024;

const FORM_TYPE = 'application/x-www-form-urlencoded';

/**
 * The parameters of a request: those of the address, after those of a posted form, so that the form's win. `limit` for a form of more
 * than 10 MiB, `input` for one that is no UTF-8.
 */
export async function readForm(request: Request): Promise<URLSearchParams> {
  const { searchParams } = new URL(request.url);
  const type = request.headers.get('content-type')?.split(';')[0].trim().toLowerCase();
  if (request.method !== 'POST' || type !== FORM_TYPE) return searchParams;
  const form = new URLSearchParams(decodeForm(await readBody(request, MAX_FORM_BYTES)));
  for (const [name, value] of searchParams) form.append(name, value);
  return form;
}

function decodeForm(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new OpsError('input', 'error parsing form values: the form is not UTF-8', { cause });
  }
}
