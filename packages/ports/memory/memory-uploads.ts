import { OpsError } from '#core/errors.ts';
import { assertBlobKey } from '#ports/blob-keys.ts';
import type { Blobs } from '#ports/blobs.ts';
import type { Uploads } from '#ports/uploads.ts';
import { inTurn, type MemoryOptions } from './memory-options.ts';

/** Uploads in memory, and the other end of them for tests. */
export interface MemoryUploads extends Uploads {
  /** What the store does with a form: `denied` for fields that no ticket has or whose time is over, `limit` for a body too large. */
  receive(fields: Readonly<Record<string, string>>, body: Uint8Array): Promise<'created' | 'exists'>;
}

/** Makes uploads that end in these blobs. */
export function createMemoryUploads(blobs: Blobs, options: MemoryOptions = {}): MemoryUploads {
  const clock = options.clock ?? Date.now;
  const tickets = new Map<string, { key: string; maxBytes: number; expiresAtMs: number }>();
  return {
    async presign({ key, maxBytes, expiresInMs }) {
      assertBlobKey(key);
      return inTurn(options, () => {
        const ticket = `ticket-${tickets.size + 1}`;
        const expiresAtMs = clock() + expiresInMs;
        tickets.set(ticket, { key, maxBytes, expiresAtMs });
        return { url: 'memory://uploads', fields: { key, ticket }, expiresAtMs };
      });
    },
    async receive(fields, body) {
      const ticket = tickets.get(fields.ticket ?? '');
      if (!ticket || ticket.key !== fields.key) throw new OpsError('denied', `no ticket for ${fields.key}`);
      if (clock() >= ticket.expiresAtMs) throw new OpsError('denied', `the ticket for ${ticket.key} has expired`);
      if (body.length > ticket.maxBytes)
        throw new OpsError('limit', `the body has ${body.length} bytes, at most ${ticket.maxBytes} are allowed`);
      return blobs.put(ticket.key, body);
    },
  };
}
