import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { BusEvent } from '#ports/bus.ts';

interface RequestEntry {
  readonly Source?: string;
  readonly DetailType?: string;
  readonly Detail?: string;
  readonly EventBusName?: string;
}

/** A bus that speaks PutEvents as EventBridge documents it: one result per entry in order, a failed one with a code. */
export interface EventsServer {
  readonly endpoint: string;
  readonly received: readonly BusEvent[];
  /** Entries of each request so far, refused ones included. */
  readonly requests: readonly number[];
  /** Decides for each entry the error code it fails with; undefined: it is taken. */
  refuse(rule: (entryIndex: number, requestIndex: number) => string | undefined): void;
  stop(): Promise<void>;
}

const MAX_ENTRIES = 10;
const MAX_REQUEST_BYTES = 256 * 1_024;

/** Starts a stand-in of EventBridge's PutEvents on a free loopback port; it ends with this process. */
export async function startEventsServer(): Promise<EventsServer> {
  const received: BusEvent[] = [];
  const requests: number[] = [];
  let rule: (entryIndex: number, requestIndex: number) => string | undefined = () => undefined;

  const takeEntry = (entry: RequestEntry, index: number) => {
    const code = rule(index, requests.length - 1);
    if (code !== undefined) return { ErrorCode: code, ErrorMessage: 'refused by the stand-in' };
    received.push({ source: entry.Source ?? '', detailType: entry.DetailType ?? '', detail: JSON.parse(entry.Detail ?? '{}') });
    return { EventId: randomUUID() };
  };

  const server = createServer(async (request, response) => {
    const problem = request.headers['x-amz-target'] === 'AWSEvents.PutEvents' ? undefined : 'UnknownOperationException';
    const { Entries = [] } = JSON.parse(await readBody(request)) as { Entries?: RequestEntry[] };
    const refusal = problem ?? validate(Entries);
    response.statusCode = refusal === undefined ? 200 : 400;
    response.setHeader('content-type', 'application/x-amz-json-1.1');
    if (refusal !== undefined) return response.end(JSON.stringify({ __type: refusal, message: `${Entries.length} entries` }));
    requests.push(Entries.length);
    const results = Entries.map(takeEntry);
    const FailedEntryCount = results.filter((result) => 'ErrorCode' in result).length;
    response.end(JSON.stringify({ FailedEntryCount, Entries: results }));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  return {
    endpoint: `http://127.0.0.1:${port}`,
    received,
    requests,
    refuse(next) {
      rule = next;
    },
    async stop() {
      server.closeAllConnections();
      server.close();
    },
  };
}

function validate(entries: readonly RequestEntry[]): string | undefined {
  if (entries.length === 0 || entries.length > MAX_ENTRIES) return 'ValidationException';
  const sizeBytes = entries.reduce((sum, entry) => sum + Buffer.byteLength(`${entry.Source}${entry.DetailType}${entry.Detail}`), 0);
  return sizeBytes > MAX_REQUEST_BYTES ? 'ValidationException' : undefined;
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}
