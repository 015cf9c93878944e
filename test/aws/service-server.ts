import { once } from 'node:events';
import { createServer } from 'node:http';

/** One request to a stand-in of an AWS service. */
export interface ServiceRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: string;
}

/** A server on loopback that keeps requests and answers each as told. */
export async function startServiceServer(
  answer: (request: ServiceRequest) => { status: number; headers?: Record<string, string>; body: string },
) {
  const received: ServiceRequest[] = [];
  const server = createServer(async (incoming, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
    const { method = '', url = '', headers } = incoming;
    const request = { method, path: url, headers, body: Buffer.concat(chunks).toString() };
    received.push(request);
    const { status, headers: more = {}, body } = answer(request);
    response.writeHead(status, more).end(body);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  return {
    endpoint: `http://127.0.0.1:${port}`,
    received,
    close: async () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
