import { ingestGroups } from '#api/ingest/groups.ts';
import { toRequest, toUrlResult, type UrlEvent, type UrlResult } from '#aws/function-url.ts';
import { respondOnLambda } from '#functions/http.ts';

/** Lambda takes events of 6 MB, which is about 4.7 MB of a body in base64; past that AWS itself answers 413, without our hint. */
const MAX_REQUEST_BYTES = 4_500_000;

const respond = respondOnLambda((deps) => ingestGroups({ ...deps, maxRequestBytes: MAX_REQUEST_BYTES }), {
  uploads: async (s3) => (await import('#aws/s3-uploads.ts')).createS3Uploads(s3),
});

/** Everything that takes data in, behind a function URL. */
export async function handler(event: UrlEvent): Promise<UrlResult> {
  return toUrlResult(await respond(() => toRequest(event)));
}
