import { alertmanagerFunctions } from './alertmanager-functions.ts';
import { parseDefaultTemplates } from './default-templates.ts';
import { type NotificationData, notificationValue } from './notification-data.ts';
import { parseTemplate, type TemplateSet } from './parse.ts';
import { type RenderOptions, renderTemplate, type TemplateLimits } from './render.ts';

/** A file of templates that a configuration names. */
export interface TemplateFile {
  /** Without its folders, as messages and `{{template}}` name it. */
  readonly name: string;
  readonly text: string;
}

/**
 * The default templates and those of a configuration's files, in their order; a later definition replaces an earlier one.
 * `input` in the words that amtool has for a file that is wrong.
 */
export function parseTemplateFiles(files: readonly TemplateFile[]): TemplateSet {
  let set = parseDefaultTemplates();
  for (const { name, text } of files) set = parseTemplate(text, { functions: alertmanagerFunctions, name, set }).set;
  return set;
}

/** Renders texts of one notification: `text` as it is, `html` escaped for a mail's body. Errors as of `renderTemplate`. */
export interface NotificationRenderer {
  readonly text: (template: string) => Promise<string>;
  readonly html: (template: string) => Promise<string>;
}

/** Enough for the default mail of 5,000 alerts (1.6 million steps, 3.6 MB), which takes half a second. */
const notificationLimits: TemplateLimits = { outputBytes: 10_000_000, steps: 5_000_000, queries: 0 };

/** A renderer for a receiver's texts on a notification's data. A text without actions is given back as it is. */
export function createNotificationRenderer(
  set: TemplateSet,
  data: NotificationData,
  options: Pick<RenderOptions, 'nowMs' | 'limits'>,
): NotificationRenderer {
  const value = notificationValue(data);
  const render = async (text: string, mode: 'text' | 'html') => {
    if (!text.includes('{{')) return text;
    const template = parseTemplate(text, { functions: alertmanagerFunctions, name: '', set });
    return renderTemplate(template, value, { limits: notificationLimits, ...options, mode, externalUrl: data.externalUrl });
  };
  return { text: (template) => render(template, 'text'), html: (template) => render(template, 'html') };
}
