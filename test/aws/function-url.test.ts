import { describe, expect, it } from 'vitest';
import { type ResponseStream, streamResponse, toRequest, toUrlResult, type UrlEvent } from '#aws/function-url.ts';

const event: UrlEvent = {
  rawPath: '/api/v1/query',
  rawQueryString: 'query=up%7Bjob%3D%22a%22%7D',
  headers: { 'content-type': 'text/plain', absent: undefined },
  requestContext: { domainName: 'abc.lambda-url.eu-west-1.on.aws', http: { method: 'GET' } },
};

describe('a request of a function URL', () => {
  it('keeps method, address and headers', () => {
    const request = toRequest(event);
    expect(request.url).toBe('https://abc.lambda-url.eu-west-1.on.aws/api/v1/query?query=up%7Bjob%3D%22a%22%7D');
    expect([...request.headers]).toEqual([['content-type', 'text/plain']]);
  });

  it.each([
    ['bytes in base64', { body: '/wD+', isBase64Encoded: true }, [0xff, 0, 0xfe]],
    ['text as UTF-8', { body: 'ä', isBase64Encoded: false }, [0xc3, 0xa4]],
    ['no body as an empty one', {}, []],
  ])('has %s', async (_, body, expected) => {
    const request = toRequest({ ...event, ...body, requestContext: { ...event.requestContext, http: { method: 'POST' } } });
    expect([...new Uint8Array(await request.arrayBuffer())]).toEqual(expected);
  });

  it('is refused where a header cannot be one', () => {
    expect(() => toRequest({ ...event, headers: { name: 'snow \u2603' } })).toThrow(TypeError);
  });
});

describe('an answer of a function URL', () => {
  it.each([
    ['text as it is', Response.json({ a: 1 }), '{"a":1}', false],
    ['other bytes in base64', new Response(Uint8Array.of(255, 0), { headers: { 'content-type': 'application/x-protobuf' } }), '/wA=', true],
    ['nothing for no content', new Response(null, { status: 204 }), '', true],
  ])('carries %s', async (_, response, body, isBase64Encoded) => {
    expect(await toUrlResult(response)).toMatchObject({ statusCode: response.status, body, isBase64Encoded });
  });

  it('streams piece by piece, and waits where the client is slow', async () => {
    const told: unknown[] = [];
    const stream: ResponseStream = {
      write: (piece) => {
        told.push(piece.length);
        return piece.length < 3;
      },
      once: (name, listener) => {
        if (name === 'drain') queueMicrotask(() => told.push('drain') && listener());
      },
      end: () => told.push('end'),
    };
    const runtime = {
      streamifyResponse: () => undefined,
      HttpResponseStream: {
        from(target: ResponseStream, head: { statusCode: number }) {
          told.push(head.statusCode);
          return target;
        },
      },
    };
    const body = new ReadableStream({
      start(controller) {
        for (const piece of ['abc', 'de']) controller.enqueue(new TextEncoder().encode(piece));
        controller.close();
      },
    });
    await streamResponse(runtime, stream, new Response(body, { status: 422 }));
    expect(told).toEqual([422, 0, 3, 'drain', 2, 'end']);
  });
});
