import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { eventTypes } from '#model/events.ts';
import { eventsPage, renderEventsPage } from '#scripts/events-doc.ts';

it('docs/events.md is as the schemas and subscriptions are: node scripts/events-doc.ts', async () => {
  expect(await readFile(eventsPage, 'utf8')).toBe(await renderEventsPage());
});

it('the page names every event once', async () => {
  const page = await renderEventsPage();
  for (const { detailType } of eventTypes) expect(page.split(`### ${detailType}\n`)).toHaveLength(2);
});
