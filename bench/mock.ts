/**
 * The model server of the benchmark: raw TCP and answers made beforehand, so that it costs next to nothing itself.
 * The model's name says what it does: `small` a JSON answer; `burst-N` N events as fast as they are taken; `paced-MS-N`
 * N events, one each MS, each with the time at which it was sent.
 */
import { createServer, type Socket } from 'node:net';

const CHUNK = (content: string, finish = 'null') =>
  `data: {"id":"x","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"content":"${content}"},"finish_reason":${finish}}]}\n\n`;
const SMALL = JSON.stringify({
  id: 'x',
  object: 'chat.completion',
  created: 1,
  model: 'm',
  choices: [{ index: 0, message: { role: 'assistant', content: 'hello' }, finish_reason: 'stop' }],
  usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 },
});
const SMALL_REPLY = Buffer.from(
  `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${SMALL.length}\r\n\r\n${SMALL}`,
);
const STREAM_HEAD =
  'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n';

const chunked = (text: string) => `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`;
const TOKEN = Buffer.from(chunked(CHUNK('token ')));
const END = `${chunked(`${CHUNK('', '"stop"')}data: [DONE]\n\n`)}0\r\n\r\n`;

/** Events that are written in one turn of a burst: a fast server's, as it comes out of its own batching. */
const TOGETHER = 1;

function burst(socket: Socket, count: number): void {
  socket.write(STREAM_HEAD);
  let left = count;
  const go = () => {
    if (socket.destroyed) return;
    if (left <= 0) {
      socket.write(END);
      return;
    }
    const now = Math.min(left, TOGETHER);
    left -= now;
    let free = true;
    for (let index = 0; index < now; index++) free = socket.write(TOKEN);
    if (free) setImmediate(go);
    else socket.once('drain', go);
  };
  go();
}

function paced(socket: Socket, ms: number, count: number): void {
  socket.write(STREAM_HEAD);
  let left = count;
  const timer = setInterval(() => {
    if (socket.destroyed || left-- <= 0) {
      clearInterval(timer);
      if (!socket.destroyed) socket.write(END);
      return;
    }
    socket.write(chunked(CHUNK(`@${process.hrtime.bigint()}@`)));
  }, ms);
}

function answer(socket: Socket, body: string): void {
  const model = /"model"\s*:\s*"([^"]+)"/.exec(body)?.[1] ?? '';
  const [kind, first = '0', second = '0'] = model.split('-');
  if (kind === 'burst') burst(socket, Number(first));
  else if (kind === 'paced') paced(socket, Number(first), Number(second));
  else socket.write(SMALL_REPLY);
}

const server = createServer({ noDelay: true }, (socket) => {
  let seen = '';
  socket.on('error', () => socket.destroy());
  socket.on('data', (bytes) => {
    seen += bytes.toString('latin1');
    for (;;) {
      const head = seen.indexOf('\r\n\r\n');
      if (head < 0) return;
      const length = Number(/content-length: *(\d+)/i.exec(seen.slice(0, head))?.[1] ?? 0);
      const end = head + 4 + length;
      if (seen.length < end) return;
      const body = seen.slice(head + 4, end);
      seen = seen.slice(end);
      answer(socket, body);
    }
  });
});
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  if (address !== null && typeof address === 'object') process.stdout.write(`${address.port}\n`);
});
