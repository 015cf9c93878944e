import { OpsError } from '#core/errors.ts';
import { type Composing, renderFields, type Sending } from './composing.ts';
import { createRequest } from './http-request.ts';
import { hashKey } from './notification.ts';
import { renderDeep } from './render-deep.ts';
import type { PagerdutyConfig } from './settings.ts';
import { omitEmpty, truncateCharacters } from './truncate.ts';

const EVENTS_V2_URL = 'https://events.pagerduty.com/v2/enqueue';
const EVENTS_V1_URL = 'https://events.pagerduty.com/generic/2010-04-15/create_event.json';
const MAX_SUMMARY = 1_024;
// What the Events API takes in one event.
const MAX_EVENT_BYTES = 512_000;

/** Triggers or resolves the incident of the group, whose key is the group's: sent twice, it is still one incident. */
export async function composePagerduty(settings: PagerdutyConfig, composing: Composing): Promise<Sending[]> {
  const { data, text, revealer } = composing;
  const details = (await renderDeep(text, settings.details ?? {})) as Record<string, unknown>;
  const action = data.status === 'firing' ? 'trigger' : 'resolve';
  const old = settings.service_key !== undefined;
  const key = revealer.hide((await text(revealer.reveal(old ? settings.service_key : settings.routing_key))).trim());
  if (key === '') throw new OpsError('input', `the ${old ? 'service_key' : 'routing_key'} of a PagerDuty receiver is empty`);
  const compose = old ? await composeV1(settings, composing, key, action) : await composeV2(settings, composing, key, action);
  const url = old ? EVENTS_V1_URL : settings.url || EVENTS_V2_URL;
  return [{ via: 'outgoing', request: createRequest({ url, body: fit(compose, details) }, settings, revealer) }];
}

type WithDetails = (details: Record<string, unknown>) => object;

/** An event that is too large goes without its details rather than not at all. */
function fit(compose: WithDetails, details: Record<string, unknown>): object {
  const isFitting = (event: object) => Buffer.byteLength(JSON.stringify(event)) <= MAX_EVENT_BYTES;
  const event = compose(details);
  if (isFitting(event)) return event;
  const short = compose({ error: `Details left out: with them the event is larger than ${MAX_EVENT_BYTES / 1_000} KB.` });
  if (isFitting(short)) return short;
  throw new OpsError('input', 'a PagerDuty event is larger than 512 KB even without details');
}

async function composeV2(settings: PagerdutyConfig, composing: Composing, key: string, action: string): Promise<WithDetails> {
  const { text, notification } = composing;
  const { client, client_url } = await renderFields(text, { client: settings.client, client_url: settings.client_url });
  const payload = await renderFields(text, {
    summary: settings.description,
    source: settings.source || settings.client,
    severity: settings.severity || 'error',
    class: settings.class,
    component: settings.component,
    group: settings.group,
  });
  const { summary, source, severity, ...rest } = payload;
  const images = await renderList(text, settings.images, ({ src, alt, href }) => ({ src, alt, href }));
  const links = await renderList(text, settings.links, ({ href, text: label }) => ({ href, text: label }));
  return (details) => ({
    ...omitEmpty({ routing_key: key, dedup_key: hashKey(notification.groupKey), client, client_url }),
    event_action: action,
    payload: {
      summary: truncateCharacters(summary, MAX_SUMMARY),
      source,
      severity,
      ...omitEmpty(rest),
      ...detailsField('custom_details', details),
    },
    ...omitEmpty({ images: images.filter(({ src }) => src !== ''), links: links.filter(({ href }) => href !== '') }),
  });
}

async function composeV1(settings: PagerdutyConfig, composing: Composing, key: string, action: string): Promise<WithDetails> {
  const { text, notification } = composing;
  const description = truncateCharacters(await text(settings.description), MAX_SUMMARY);
  const { client, client_url } = await renderFields(text, { client: settings.client, client_url: settings.client_url });
  return (details) => ({
    ...omitEmpty({ service_key: key, incident_key: hashKey(notification.groupKey), event_type: action, description }),
    ...(action === 'trigger' ? omitEmpty({ client, client_url }) : {}),
    ...detailsField('details', details),
  });
}

function detailsField(name: string, details: Record<string, unknown>): object {
  return Object.keys(details).length === 0 ? {} : { [name]: details };
}

async function renderList<T, K extends string>(
  text: Composing['text'],
  items: readonly T[] | undefined,
  pick: (item: T) => Record<K, string | undefined>,
): Promise<Record<K, string>[]> {
  const rendered: Record<K, string>[] = [];
  for (const item of items ?? []) rendered.push(await renderFields(text, pick(item)));
  return rendered;
}
