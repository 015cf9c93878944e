/** Where in an HTML text the next character stands. */
export interface HtmlContext {
  readonly at: 'text' | 'tag' | 'name' | 'before-value' | 'value' | 'raw' | 'comment';
  /** Of an open tag or of raw text: its element, in lower case. */
  readonly element: string;
  /** Of an attribute: its name, in lower case. */
  readonly attribute: string;
  /** Of a value: its quote, '' without one. */
  readonly quote: string;
  /** Of a value or raw text: what of it stands before here. */
  readonly before: string;
}

export const startContext: HtmlContext = { at: 'text', element: '', attribute: '', quote: '', before: '' };

/** Elements whose content is no markup. */
const rawElements = new Set(['script', 'style', 'textarea', 'title']);
const tagStart = /<(!--|\/?[a-zA-Z][a-zA-Z0-9:-]*)/;

interface Step {
  readonly context: HtmlContext;
  /** Characters that were read; at least one. */
  readonly length: number;
}

/** Reads HTML on from a context; `keep` is given each stretch that is no comment, as html/template leaves comments out. */
export function readHtml(from: HtmlContext, text: string, keep: (part: string) => void): HtmlContext {
  let context = from;
  let at = 0;
  while (at < text.length) {
    const rest = text.slice(at);
    const step = stepFrom(context, rest);
    const part = rest.slice(0, step.length);
    if (context.at === 'text') keep(escapeLone(part, step.context));
    else if (context.at !== 'comment') keep(part);
    context = step.context;
    at += step.length;
  }
  return context;
}

/** Text up to a tag, with it; a `<` that opens none is escaped. */
function escapeLone(part: string, after: HtmlContext): string {
  const tag = after.at === 'text' ? part.length : part.lastIndexOf('<');
  const text = part.slice(0, tag).replace(/<(?!!doctype)/gi, '&lt;');
  return after.at === 'comment' ? text : text + part.slice(tag);
}

function stepFrom(context: HtmlContext, rest: string): Step {
  switch (context.at) {
    case 'text':
      return stepText(context, rest);
    case 'comment': {
      const end = rest.indexOf('-->');
      return end < 0 ? { context, length: rest.length } : { context: startContext, length: end + 3 };
    }
    case 'raw':
      return stepRaw(context, rest);
    case 'tag':
    case 'name':
      return stepTag(context, rest);
    case 'before-value':
      return stepBeforeValue(context, rest);
    default:
      return stepValue(context, rest);
  }
}

function stepText(context: HtmlContext, rest: string): Step {
  const found = tagStart.exec(rest);
  if (!found) return { context, length: rest.length };
  const name = (found[1] as string).toLowerCase();
  const length = found.index + found[0].length;
  if (name === '!--') return { context: { ...startContext, at: 'comment' }, length };
  return { context: { ...startContext, at: 'tag', element: name }, length };
}

function stepTag(context: HtmlContext, rest: string): Step {
  const space = /^[\s/]+/.exec(rest);
  if (space) return { context: context.at === 'name' ? { ...context, before: ' ' } : context, length: space[0].length };
  if (rest[0] === '>') {
    const raw = rawElements.has(context.element);
    return { context: raw ? { ...startContext, at: 'raw', element: context.element } : startContext, length: 1 };
  }
  if (rest[0] === '=' && context.at === 'name') return { context: { ...context, at: 'before-value', before: '' }, length: 1 };
  const name = /^[^\s/>=]+|^=/.exec(rest) as RegExpExecArray;
  const joined = context.at === 'name' && context.before === '' ? context.attribute + name[0] : name[0];
  return { context: { ...context, at: 'name', attribute: joined.toLowerCase(), before: '' }, length: name[0].length };
}

function stepBeforeValue(context: HtmlContext, rest: string): Step {
  const space = /^\s+/.exec(rest);
  if (space) return { context, length: space[0].length };
  if (rest[0] === '>') return stepTag({ ...context, at: 'tag' }, rest);
  const quote = rest[0] === '"' || rest[0] === "'" ? rest[0] : '';
  const value: HtmlContext = { ...context, at: 'value', quote, before: '' };
  return quote === '' ? stepValue(value, rest) : { context: value, length: 1 };
}

function stepValue(context: HtmlContext, rest: string): Step {
  const end = context.quote === '' ? rest.search(/[\s>]/) : rest.indexOf(context.quote);
  if (end < 0) return { context: { ...context, before: context.before + rest }, length: rest.length };
  const after: HtmlContext = { ...startContext, at: 'tag', element: context.element };
  if (context.quote === '') return end === 0 ? stepTag(after, rest) : { context: after, length: end };
  return { context: after, length: end + 1 };
}

function stepRaw(context: HtmlContext, rest: string): Step {
  const end = rest.toLowerCase().indexOf(`</${context.element}`);
  if (end < 0) return { context: { ...context, before: context.before + rest }, length: rest.length };
  return { context: { ...startContext, at: 'tag', element: `/${context.element}` }, length: end + context.element.length + 2 };
}

const urlAttributes = new Set([
  'action',
  'archive',
  'background',
  'cite',
  'classid',
  'codebase',
  'data',
  'formaction',
  'href',
  'icon',
  'longdesc',
  'manifest',
  'poster',
  'profile',
  'src',
  'usemap',
  'xmlns',
]);

/** What an attribute's value is read as; the last part of a name with a prefix counts, and unknown names that sound like URLs are. */
export function attributeKind(attribute: string): 'plain' | 'url' | 'urls' | 'script' | 'style' {
  const name = attribute.replace(/^data-/, '').replace(/^.*:/, '');
  if (attribute.startsWith('xmlns:')) return 'url';
  if (name === 'style') return 'style';
  if (name === 'srcset') return 'urls';
  if (name.startsWith('on') || name === 'srcdoc') return 'script';
  return urlAttributes.has(name) || /src|uri|url/.test(name) ? 'url' : 'plain';
}
