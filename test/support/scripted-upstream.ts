/**
 * An OpenAI-like HTTP server for tests, on a free port of 127.0.0.1, that does what it is told.
 *
 *     await using upstream = await startUpstream();
 *     upstream.next(says('Hel', 'lo'));              // answers one request: by its path and `stream`, in either dialect
 *     upstream.always(refuses(429, { … }));          // answers all that have no script of their own
 *     const stream = upstream.nextStream(chatEvents({ text: ['a', 'b'] }));
 *     await stream.send();                           // one event, once the request is there; `send(3)` three
 *     stream.cut();                                  // or end(), or reset()
 *     const request = await upstream.request(0);     // the first that came: method, url, headers, body, when it was left
 *
 * A daemon asks a server for its models when it likes: that is answered with 404 and not counted, unless the test wants to
 * script it (`startUpstream({ listsModels: true })`).
 *
 * Without a script it says `hello`. It uses no timer: a test decides when the next byte goes out.
 */
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { eventually } from './eventually.ts';
import { chatBody, chatEvents, responsesBody, responsesEvents, type Said } from './openai-bodies.ts';

export interface SeenRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  /** The very bytes that came. */
  readonly body: Buffer;
  /** The body parsed; throws where it is no JSON. */
  json(): unknown;
  /** `performance.now()` when its connection closed; undefined while it is open. */
  readonly closedAt: number | undefined;
  /** `performance.now()` when the caller left before the answer was whole. */
  readonly leftAt: number | undefined;
}

/** Answers one request. */
export type Script = (response: ServerResponse, request: SeenRequest) => void;

export interface ScriptedUpstream extends AsyncDisposable {
  /** `http://127.0.0.1:PORT/v1` */
  readonly baseUrl: string;
  readonly requests: readonly SeenRequest[];
  /** Answers the next request that has no script yet; each script is used once, in order. */
  next(script: Script): void;
  /** Answers every request for which there is no `next`. */
  always(script: Script): void;
  /** As `next`, with a stream under the test's control. */
  nextStream(events: readonly string[], head?: Head): ControlledStream;
  /** The request of that number, once it has come. */
  request(index: number): Promise<SeenRequest>;
  /** Stops listening and cuts all connections: from now on it is down. */
  stop(): Promise<void>;
}

export interface Head {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
}

/** What a Chat Completions or Responses server says, whole or streamed as the request asks. */
export function says(...text: readonly string[]): Script {
  return answers({ text });
}

export function answers(said: Said): Script {
  return (response, { url, body }) => {
    const isResponses = url.includes('/responses');
    if (!/"stream"\s*:\s*true/.test(body.toString()))
      return json(200, isResponses ? responsesBody(said) : chatBody(said))(response);
    const events = isResponses ? responsesEvents(said) : chatEvents(said);
    response.writeHead(200, { 'content-type': 'text/event-stream' }).end(events.join(''));
  };
}

export function json(status: number, body: unknown, headers: Readonly<Record<string, string>> = {}) {
  return (response: ServerResponse): void => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
  };
}

/** An error in OpenAI's form. */
export function refuses(status: number, error: object, headers?: Readonly<Record<string, string>>): Script {
  return json(
    status,
    { error: { message: 'refused', type: null, param: null, code: null, ...error } },
    headers,
  );
}

export function html(status: number): Script {
  return raw({ status, headers: { 'content-type': 'text/html' } }, '<html><body>oops</body></html>');
}

/** Any head, any body. */
export function raw({ status = 200, headers = {} }: Head, body: string | Uint8Array): Script {
  return (response) => void response.writeHead(status, headers).end(body);
}

/** Sends that much and then cuts the connection. */
export function cutsAfter(sent: string, { status = 200, headers = {} }: Head = {}): Script {
  return (response) => {
    response.writeHead(status, { 'content-type': 'text/event-stream', ...headers });
    response.write(sent, () => response.destroy());
  };
}

/** A stream whose one event is a line of so many bytes. */
export function sendsLine(bytes: number): Script {
  return raw({ headers: { 'content-type': 'text/event-stream' } }, `data: ${'x'.repeat(bytes - 6)}\n\n`);
}

/** Takes the request and says nothing. */
export const neverAnswers: Script = () => {};

/** A stream that moves when the test says so. */
class ControlledStream {
  readonly #waiting: string[];
  readonly #head: Head;
  #response: ServerResponse | undefined;

  constructor(events: readonly string[], head: Head = {}) {
    this.#waiting = [...events];
    this.#head = head;
  }

  readonly script: Script = (response) => {
    const { status = 200, headers = {} } = this.#head;
    response.writeHead(status, { 'content-type': 'text/event-stream', ...headers }).flushHeaders();
    this.#response = response;
  };

  /** The head has been sent. */
  async opened(): Promise<ServerResponse> {
    return eventually('the request for this stream has come', () => this.#response);
  }

  /** The next events of the list, in one write. */
  async send(count = 1): Promise<void> {
    await this.write(this.#waiting.splice(0, count).join(''));
  }

  /** All that are left, and the end. */
  async finish(): Promise<void> {
    await this.send(this.#waiting.length);
    await this.end();
  }

  /** Any bytes. Resolves once the system has taken them. */
  async write(bytes: string | Uint8Array): Promise<void> {
    const response = await this.opened();
    await new Promise<void>((resolve, reject) => {
      response.write(bytes, (error) => (error ? reject(error) : resolve()));
    });
  }

  async end(): Promise<void> {
    (await this.opened()).end();
  }

  /** Closes the connection without the end of the body. */
  async cut(): Promise<void> {
    (await this.opened()).destroy();
  }

  /** Resets the connection. */
  async reset(): Promise<void> {
    (await this.opened()).socket?.resetAndDestroy();
  }
}

export async function startUpstream({ listsModels = false } = {}): Promise<ScriptedUpstream> {
  const requests: SeenRequest[] = [];
  const scripts: Script[] = [];
  const sockets = new Set<Socket>();
  let fallback = says('hello');
  const server = createServer((incoming, response) => {
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.on('end', () => {
      const request = seen(
        incoming.method ?? '',
        incoming.url ?? '',
        incoming.headers,
        Buffer.concat(chunks),
      );
      incoming.socket.once('close', () => Object.assign(request, { closedAt: performance.now() }));
      response.once('close', () => {
        if (!response.writableFinished) Object.assign(request, { leftAt: performance.now() });
      });
      if (!listsModels && request.method === 'GET' && request.url.endsWith('/models'))
        return refuses(404, { message: 'no list of models' })(response, request);
      requests.push(request);
      (scripts.shift() ?? fallback)(response, request);
    });
    // A caller that leaves is what some tests are about.
    incoming.on('error', () => {});
    response.on('error', () => {});
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    // One for each request that it carries.
    socket.setMaxListeners(0);
    socket.once('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');

  const stop = async () => {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    for (const socket of sockets) socket.destroy();
    await closed;
  };
  return {
    baseUrl: `http://127.0.0.1:${address.port}/v1`,
    requests,
    next: (script) => void scripts.push(script),
    always: (script) => {
      fallback = script;
    },
    nextStream: (events, head) => {
      const stream = new ControlledStream(events, head);
      scripts.push(stream.script);
      return stream;
    },
    request: (index) => eventually(`request ${index} has reached the upstream`, () => requests[index]),
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

function seen(method: string, url: string, headers: IncomingHttpHeaders, body: Buffer): SeenRequest {
  const json = (): unknown => JSON.parse(body.toString());
  return { method, url, headers, body, json, closedAt: undefined, leftAt: undefined };
}
