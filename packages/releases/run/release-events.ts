import { releaseEventTypes } from '#model/release-events.ts';
import type { BusEvent } from '#ports/bus.ts';
import type { Told } from '#releases/plan/draft.ts';
import type { Release } from '#releases/release/release.ts';

/** Most characters of a sentence in an event. */
const MAX_CHARS = 2_000;
const schemas = new Map(releaseEventTypes.map(({ detailType, schema, source }) => [detailType as string, { schema, source }]));

/**
 * What a release tells, as it goes on the bus: once, or once for each who asked for it and wants an answer. The same thing told again has
 * the same id.
 */
export function toBusEvents(release: Release, { number, atMs, detailType, sentence, more }: Told, url: string): BusEvent[] {
  const { id, tenant, application, environment, version, commit, phase, replies } = release;
  const type = schemas.get(detailType);
  if (!type) throw new RangeError(`no event ${detailType}`);
  const common = {
    ...{ tenant, at: new Date(atMs).toISOString(), release: id, application, environment, version, commit, state: phase, url },
    ...more,
    sentence: sentence.slice(0, MAX_CHARS).toWellFormed(),
  };
  return (replies.length > 0 ? replies : [undefined]).map((reply, i) => {
    const detail = type.schema.parse({ ...common, id: `release-${id}-${number}${i > 0 ? `-${i + 1}` : ''}`, ...(reply && { reply }) });
    return { source: type.source, detailType, detail };
  });
}
