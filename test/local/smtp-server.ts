import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { createSecureContext, TLSSocket } from 'node:tls';

/** One mail, and how it came. */
export interface ReceivedMail {
  readonly from: string;
  readonly to: readonly string[];
  readonly data: string;
  readonly secure: boolean;
  /** What AUTH said, Base64 undone. */
  readonly auth: string;
}

export interface SmtpServerOptions {
  /** Extensions told after EHLO, STARTTLS and AUTH among them. */
  readonly extensions?: readonly string[];
  /** What a command is answered with in place of the usual; undefined: the usual. `hang`: nothing. */
  readonly answer?: (command: string) => string | undefined;
  readonly implicitTls?: boolean;
}

const pem = (name: string) => readFileSync(new URL(`../net/certificates/${name}`, import.meta.url), 'utf8');

/** A mail server on loopback that keeps what it got, by RFC 5321 as far as a client needs it. */
export async function startSmtpServer(options: SmtpServerOptions = {}) {
  const received: ReceivedMail[] = [];
  const commands: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    const plain = options.implicitTls ? secure(socket) : socket;
    serve(plain, options, commands, received, options.implicitTls ?? false, true);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as { port: number }).port,
    received,
    commands,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

function secure(socket: Socket): Socket {
  const secureContext = createSecureContext({ key: pem('server.key'), cert: pem('server.pem') });
  return new TLSSocket(socket, { isServer: true, secureContext });
}

function serve(
  socket: Socket,
  options: SmtpServerOptions,
  commands: string[],
  received: ReceivedMail[],
  isSecure: boolean,
  greets: boolean,
): void {
  let mail = { from: '', to: [] as string[], auth: '' };
  let text = '';
  let inData = false;
  const say = (line: string) => void socket.write(`${line}\r\n`);
  const takeLine = (line: string) => {
    commands.push(line);
    const told = options.answer?.(line);
    if (told !== undefined) return told === 'hang' ? undefined : say(told);
    const [verb = '', ...rest] = line.split(' ');
    switch (verb.toUpperCase()) {
      case 'EHLO': {
        const extensions = (options.extensions ?? []).filter((name) => !(isSecure && name === 'STARTTLS'));
        return say(['mail.test', ...extensions].map((name, i, all) => `250${i === all.length - 1 ? ' ' : '-'}${name}`).join('\r\n'));
      }
      case 'STARTTLS': {
        if (!options.extensions?.includes('STARTTLS')) return say('502 no');
        say('220 go');
        socket.removeAllListeners('data');
        return serve(secure(socket), options, commands, received, true, false);
      }
      case 'AUTH':
        mail.auth = Buffer.from(rest.at(-1) ?? '', 'base64').toString();
        return say('235 ok');
      case 'MAIL':
        mail.from = /<(.*)>/.exec(line)?.[1] ?? '';
        return say('250 ok');
      case 'RCPT':
        mail.to.push(/<(.*)>/.exec(line)?.[1] ?? '');
        return say('250 ok');
      case 'DATA':
        inData = true;
        return say('354 go');
      case 'QUIT':
        say('221 bye');
        return void socket.end();
      default:
        return say('502 no');
    }
  };
  socket.on('error', () => undefined);
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString();
    for (;;) {
      const end = text.indexOf(inData ? '\r\n.\r\n' : '\r\n');
      if (end < 0) return;
      const part = text.slice(0, end);
      text = text.slice(end + (inData ? 5 : 2));
      if (!inData) takeLine(part);
      else {
        inData = false;
        received.push({ ...mail, data: part.replace(/^\.\./gm, '.'), secure: isSecure });
        mail = { from: '', to: [], auth: '' };
        say(options.answer?.('.') ?? '250 taken');
      }
    }
  });
  if (greets) say('220 mail.test ESMTP');
}
