import { isIP } from 'node:net';

/** Host and port of `host:port` or `[address]:port`, or undefined where the text is neither: net.SplitHostPort. */
function splitHostPort(text: string): { host: string; port: string } | undefined {
  const colon = text.lastIndexOf(':');
  if (colon < 0) return undefined;
  const port = text.slice(colon + 1);
  let host = text.slice(0, colon);
  if (text.startsWith('[')) {
    if (text.indexOf(']') !== colon - 1) return undefined;
    host = text.slice(1, colon - 1);
  } else if (host.includes(':')) {
    return undefined;
  }
  return /[[\]]/.test(host) || /[[\]]/.test(port) ? undefined : { host, port };
}

/** A host without its port; what is neither stays as it is. */
export function stripPort(text: string): string {
  return splitHostPort(text)?.host ?? text;
}

/** A host's first name, with its port; an address stays as it is. */
export function stripDomain(text: string): string {
  const { host, port } = splitHostPort(text) ?? { host: text, port: '' };
  if (isIP(host) !== 0 && !host.includes('%')) return text;
  const name = host.split('.')[0] as string;
  if (port === '') return name;
  return name.includes(':') ? `[${name}]:${port}` : `${name}:${port}`;
}
