import { OpsError } from '#core/errors.ts';
import { type Composing, renderFields, type Sending } from './composing.ts';
import { createRequest, type Draft } from './http-request.ts';
import { hashKey } from './notification.ts';
import type { OpsgenieConfig } from './settings.ts';
import { omitEmpty, truncateCharacters } from './truncate.ts';

const DEFAULT_URL = 'https://api.opsgenie.com/';
const MAX_MESSAGE = 130;
const MAX_DESCRIPTION = 15_000;

/** Creates the alert of the group (and, if told to, updates what it says), or closes it; its alias is the group's, so that a repeat is one. */
export async function composeOpsgenie(settings: OpsgenieConfig, composing: Composing): Promise<Sending[]> {
  const { data, text, revealer } = composing;
  const apiKey = revealer.hide((await text(revealer.reveal(settings.api_key))).trim());
  if (apiKey === '') throw new OpsError('input', 'the api_key of an Opsgenie receiver is empty');
  const drafts = data.status === 'resolved' ? [await draftClose(settings, composing)] : await draftCreate(settings, composing);
  const headers = { authorization: `GenieKey ${apiKey}` };
  return drafts.map((draft) => ({ via: 'outgoing', request: createRequest({ ...draft, headers }, settings, revealer) }));
}

function urlOf(settings: OpsgenieConfig, path: string, byAlias: boolean): string {
  const url = URL.parse(settings.api_url || DEFAULT_URL);
  if (url === null) throw new OpsError('input', 'the api_url of an Opsgenie receiver cannot be parsed');
  url.pathname = `${url.pathname.replace(/\/$/, '')}/${path}`;
  if (byAlias) url.searchParams.set('identifierType', 'alias');
  return url.href;
}

async function draftClose(settings: OpsgenieConfig, { notification, text }: Composing): Promise<Draft> {
  const url = urlOf(settings, `v2/alerts/${hashKey(notification.groupKey)}/close`, true);
  return { url, body: { source: await text(settings.source) } };
}

async function draftCreate(settings: OpsgenieConfig, composing: Composing): Promise<Draft[]> {
  const { data, notification, text } = composing;
  const alias = hashKey(notification.groupKey);
  const message = truncateCharacters(await text(settings.message), MAX_MESSAGE);
  const description = truncateCharacters(await text(settings.description), MAX_DESCRIPTION);
  const rendered = await renderFields(text, {
    note: settings.note,
    priority: settings.priority,
    entity: settings.entity,
  });
  const create = {
    alias,
    message,
    details: { ...data.commonLabels, ...(await renderFields(text, settings.details ?? {})) },
    source: await text(settings.source),
    ...omitEmpty({
      description,
      ...rendered,
      responders: await renderResponders(settings, text),
      tags: splitList(await text(settings.tags)),
      actions: splitList(await text(settings.actions)),
    }),
  };
  const drafts: Draft[] = [{ url: urlOf(settings, 'v2/alerts', false), body: create }];
  if (!settings.update_alerts) return drafts;
  const update = (field: 'message' | 'description', value: string): Draft => ({
    method: 'PUT',
    url: urlOf(settings, `v2/alerts/${alias}/${field}`, true),
    body: omitEmpty({ [field]: value }),
  });
  return [...drafts, update('message', message), update('description', description)];
}

/** `teams` are several by their names; one whose fields all come out empty is left out. */
async function renderResponders({ responders = [] }: OpsgenieConfig, text: Composing['text']): Promise<object[]> {
  const list: object[] = [];
  for (const { id, name, username, type } of responders) {
    const rendered = await renderFields(text, { id, name, username, type });
    if (Object.values(rendered).every((field) => field === '')) continue;
    if (rendered.type === 'teams') list.push(...splitList(rendered.name).map((team) => ({ name: team, type: 'team' })));
    else list.push({ ...omitEmpty(rendered), type: rendered.type });
  }
  return list;
}

function splitList(text: string): string[] {
  return text
    .trim()
    .split(',')
    .filter((item) => item !== '');
}
