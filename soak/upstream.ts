/** The model server of the soak. The model's name says what it does: `small`, `stream`, or `slow`, which takes its time. */
import { createServer, type ServerResponse } from 'node:http';
import { Chance } from '../test/support/chance.ts';
import { chatBody, chatEvents } from '../test/support/openai-bodies.ts';

export interface Upstream {
  readonly baseUrl: string;
  /** Requests that have not ended. */
  open(): number;
  close(): Promise<void>;
}

export const MODELS = ['small', 'stream', 'slow'] as const;

const TEXT = Array.from({ length: 50 }, (_, index) => `word ${index} `);
const BODY = JSON.stringify(chatBody({ text: ['hello'] }));
const EVENTS = chatEvents({ text: TEXT });
const JSON_HEAD = { 'content-type': 'application/json' };
const STREAM_HEAD = { 'content-type': 'text/event-stream' };
/** `stream`: an event each so many milliseconds. `slow`: up to so many before each thing that it does. */
const PACE_MS = 10;
const SLOW_MS = 40;

export async function startUpstream(): Promise<Upstream> {
  const chance = new Chance(5);
  let open = 0;
  const server = createServer((request, response) => {
    open++;
    response.once('close', () => open--);
    let body = '';
    request.setEncoding('latin1').on('data', (text: string) => {
      body += text;
    });
    request.on('end', () => {
      if (body.includes('"slow"'))
        setTimeout(() => paced(response, () => chance.below(SLOW_MS)), chance.below(SLOW_MS));
      else if (body.includes('"stream"') && /"stream"\s*:\s*true/.test(body)) paced(response, () => PACE_MS);
      else response.writeHead(200, JSON_HEAD).end(BODY);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    baseUrl: `http://127.0.0.1:${address.port}/v1`,
    open: () => open,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function paced(response: ServerResponse, ms: () => number): void {
  if (response.destroyed) return;
  response.writeHead(200, STREAM_HEAD).flushHeaders();
  const events = [...EVENTS];
  const next = () => {
    const event = events.shift();
    if (response.destroyed) return;
    if (event === undefined) return void response.end();
    response.write(event);
    setTimeout(next, ms());
  };
  next();
}
