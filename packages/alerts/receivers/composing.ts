import type { NotificationData } from '#alerts/template/notification-data.ts';
import type { TargetedEvent } from '#ports/event-targets.ts';
import type { MailMessage } from '#ports/mail.ts';
import type { OutgoingRequest } from '#ports/outgoing.ts';
import type { TopicMessage } from '#ports/topics.ts';
import type { Notification } from './notification.ts';
import type { Revealer } from './redact.ts';

/** Executes templates over one notification's data: as text, and with what they insert escaped for HTML. `input` for one that fails. */
export interface Renderer {
  readonly text: (template: string) => Promise<string>;
  readonly html: (template: string) => Promise<string>;
}

/** Prepares the data for templates. */
export type CreateRenderer = (data: NotificationData) => Renderer;

/** One thing to be sent, and by which port. */
export type Sending =
  | { readonly via: 'outgoing'; readonly request: OutgoingRequest }
  | { readonly via: 'mail'; readonly message: MailMessage }
  | { readonly via: 'topics'; readonly message: TopicMessage }
  | { readonly via: 'events'; readonly event: TargetedEvent };

/** What composing one notification for one receiver has at hand. */
export interface Composing {
  readonly notification: Notification;
  readonly data: NotificationData;
  readonly revealer: Revealer;
  readonly createRenderer: CreateRenderer;
  /** Executes a template as text over `data`; the empty text for an absent one. */
  readonly text: (template: string | undefined) => Promise<string>;
  /** The same for HTML. */
  readonly html: (template: string | undefined) => Promise<string>;
}

/** A renderer that takes an absent template for an empty one. */
export function renderOver(createRenderer: CreateRenderer, data: NotificationData): Pick<Composing, 'text' | 'html'> {
  const renderer = createRenderer(data);
  return {
    text: async (template) => (template ? renderer.text(template) : ''),
    html: async (template) => (template ? renderer.html(template) : ''),
  };
}

/** Executes the texts of fields, each under its name. */
export async function renderFields<K extends string>(
  text: Composing['text'],
  fields: Readonly<Record<K, string | undefined>>,
): Promise<Record<K, string>> {
  const rendered: [string, string][] = [];
  for (const [name, template] of Object.entries<string | undefined>(fields)) rendered.push([name, await text(template)]);
  return Object.fromEntries(rendered) as Record<K, string>;
}
