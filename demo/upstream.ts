/** A stand-in for a model server: speaks streamed Chat Completions, word by word, and counts what it was asked. */
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

export interface DemoUpstream {
  /** The API's root: `http://127.0.0.1:41234/v1`. */
  readonly baseUrl: string;
  /** Chat completions it was asked for. */
  requests(): number;
  close(): Promise<void>;
}

const ANSWER =
  'This sentence was written by a model server that only the second machine knows. ' +
  'It crossed an encrypted link, word by word, and came out of your own localhost.';
const WORD_MS = 40;

export async function startUpstream(model: string): Promise<DemoUpstream> {
  let requests = 0;
  const server = createServer((request, response) => {
    request.resume();
    if (request.method !== 'POST' || request.url !== '/v1/chat/completions') {
      response.writeHead(404).end();
      return;
    }
    requests++;
    void answer(response, model);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    baseUrl: `http://127.0.0.1:${port}/v1`,
    requests: () => requests,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function answer(response: ServerResponse, model: string): Promise<void> {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  const send = (delta: object, finish: string | null) => {
    const choices = [{ index: 0, delta, finish_reason: finish }];
    const chunk = { id: 'chatcmpl-demo', object: 'chat.completion.chunk', created: 0, model, choices };
    response.write(`data: ${JSON.stringify(chunk)}\n\n`);
  };
  send({ role: 'assistant', content: '' }, null);
  for (const word of ANSWER.match(/\S+\s*/g) ?? []) {
    if (response.destroyed) return;
    send({ content: word }, null);
    await sleep(WORD_MS);
  }
  send({}, 'stop');
  response.end('data: [DONE]\n\n');
}
