import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';

export interface Answer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Ends the connection instead of answering; `midway`: after head and body of a longer answer. */
  readonly drop?: 'at once' | 'midway';
}

export interface SeenRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** A loopback server that answers as told and remembers what it was asked. */
export interface ScriptedServer {
  readonly endpoint: string;
  readonly requests: readonly SeenRequest[];
  /** The answers to come, in order; the last one stays for all after it. */
  script(answers: readonly Answer[]): void;
  stop(): void;
}

/** Starts a server that plays the service's side of a fault. */
export async function startScriptedServer(): Promise<ScriptedServer> {
  let answers: Answer[] = [{}];
  const requests: SeenRequest[] = [];
  const server = createServer(async (request, response) => {
    requests.push({ method: request.method ?? '', url: request.url ?? '', headers: request.headers, body: await readBody(request) });
    const answer = (answers.length > 1 ? answers.shift() : answers[0]) as Answer;
    if (answer.drop === 'at once') return request.socket.destroy();
    const body = answer.body ?? '';
    const length = Buffer.byteLength(body) + (answer.drop === 'midway' ? 10 : 0);
    response.writeHead(answer.status ?? 200, { 'content-length': length, ...answer.headers });
    response.write(body, () => (answer.drop === 'midway' ? request.socket.destroy() : response.end()));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    endpoint: `http://127.0.0.1:${(server.address() as { port: number }).port}`,
    requests,
    script(next) {
      answers = [...next];
      requests.length = 0;
    },
    stop() {
      server.closeAllConnections();
      server.close();
    },
  };
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}
