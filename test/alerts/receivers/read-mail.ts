/** Header fields and parts of a mail, with their encodings undone. */
export function readMail(data: string) {
  const [head = '', ...rest] = data.split('\r\n\r\n');
  const fields = new Map(
    head
      .replace(/\r\n[ \t]+/g, ' ')
      .split('\r\n')
      .map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), decodeWords(line.slice(line.indexOf(':') + 1).trim())]),
  );
  const boundary = /boundary="?([^";]+)/.exec(fields.get('content-type') ?? '')?.[1] ?? '';
  const parts = rest
    .join('\r\n\r\n')
    .split(`--${boundary}`)
    .slice(1, -1)
    .map((part) => {
      const [partHead = '', ...lines] = part.split('\r\n\r\n');
      const bytes = decodeBody(lines.join('\r\n\r\n').replace(/\r\n$/, ''), /transfer-encoding: *([^\r\n]*)/i.exec(partHead)?.[1] ?? '');
      return [/content-type: *([^;\r\n]*)/i.exec(partHead)?.[1], bytes.replaceAll('\r\n', '\n')];
    });
  const shown = ['subject', 'to', 'from', 'x-team'].map((name) =>
    fields
      .get(name)
      ?.replaceAll('"', '')
      .replace(/<(\S+@\S+)>/g, '$1'),
  );
  return { shown, type: fields.get('content-type')?.replace(/;.*/, ''), parts };
}

function decodeWords(text: string): string {
  return text.replace(/=\?utf-8\?([qb])\?([^?]*)\?=\s*/gi, (_, encoding: string, word: string) =>
    encoding.toLowerCase() === 'b' ? Buffer.from(word, 'base64').toString() : decodeQuoted(word.replaceAll('_', ' ')),
  );
}

function decodeBody(text: string, encoding: string): string {
  if (encoding.toLowerCase() === 'quoted-printable') return decodeQuoted(text.replaceAll('=\r\n', ''));
  return encoding.toLowerCase() === 'base64' ? Buffer.from(text, 'base64').toString() : text;
}

function decodeQuoted(text: string): string {
  return Buffer.from(
    text.replace(/=([0-9A-F]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
    'latin1',
  ).toString();
}
