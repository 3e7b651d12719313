/**
 * The model server of the benchmark: raw TCP and answers made beforehand, so that it costs next to nothing itself. The
 * path says which dialect it speaks, the model's name what it does: `small` a JSON answer; `burst-N` N events as fast as
 * they are taken, one for each turn of its loop; `paced-MS-N` N events, one each MS, each with the time it was sent at.
 */
import { createServer, type Socket } from 'node:net';

/** The stream of one dialect, made for any text. */
interface Script {
  readonly begin: string;
  token(text: string): string;
  readonly end: string;
}

const chatChunk = (content: string, finish = 'null', more = '') =>
  `data: {"id":"x","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{${more}"content":"${content}"},"finish_reason":${finish}}]}\n\n`;
const CHAT: Script = {
  begin: chatChunk('', 'null', '"role":"assistant",'),
  token: (text) => chatChunk(text),
  end: `${chatChunk('', '"stop"')}data: [DONE]\n\n`,
};

const event = (type: string, fields: object) =>
  `event: ${type}\ndata: ${JSON.stringify({ type, sequence_number: 1, ...fields })}\n\n`;
const RESPONSE = { id: 'resp_x', object: 'response', created_at: 1, model: 'm', output: [], usage: null };
const PLACE = { output_index: 0, item_id: 'msg_x', content_index: 0 };
const PART = { type: 'output_text', text: 'all of it', annotations: [] };
const ITEM = { id: 'msg_x', type: 'message', role: 'assistant', status: 'completed', content: [PART] };
const USAGE = { input_tokens: 1, output_tokens: 1, total_tokens: 2 };
const RESPONSES: Script = {
  begin: [
    event('response.created', { response: { ...RESPONSE, status: 'in_progress' } }),
    event('response.output_item.added', {
      output_index: 0,
      item: { ...ITEM, status: 'in_progress', content: [] },
    }),
    event('response.content_part.added', { ...PLACE, part: { ...PART, text: '' } }),
  ].join(''),
  token: (text) =>
    `event: response.output_text.delta\ndata: {"type":"response.output_text.delta","sequence_number":1,"output_index":0,"item_id":"msg_x","content_index":0,"delta":"${text}"}\n\n`,
  // What was said is not said again as a whole: the text of a burst is as long as its reader was fast.
  end: event('response.completed', { response: { ...RESPONSE, status: 'completed', usage: USAGE } }),
};

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

const chunked = (text: string) =>
  text === '' ? '' : `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`;
const beginOf = ({ begin }: Script) => STREAM_HEAD + chunked(begin);
const endOf = ({ end }: Script) => `${chunked(end)}0\r\n\r\n`;
const TOKENS = new Map(
  [CHAT, RESPONSES].map((script) => [script, Buffer.from(chunked(script.token('token ')))]),
);

function burst(socket: Socket, script: Script, count: number): void {
  const token = TOKENS.get(script) ?? '';
  socket.write(beginOf(script));
  let left = count;
  const go = () => {
    if (socket.destroyed) return;
    if (left-- <= 0) socket.write(endOf(script));
    else if (socket.write(token)) setImmediate(go);
    else socket.once('drain', go);
  };
  go();
}

let streams = 0;
/** Spreads the streams over the interval, as streams of different callers are: never all in one turn. */
const phase = () => (++streams * 0.618_034) % 1;

function paced(socket: Socket, script: Script, ms: number, count: number): void {
  socket.write(beginOf(script));
  let left = count;
  let timer: NodeJS.Timeout;
  const tick = () => {
    if (socket.destroyed || left-- <= 0) {
      clearInterval(timer);
      if (!socket.destroyed) socket.write(endOf(script));
      return;
    }
    socket.write(chunked(script.token(`@${process.hrtime.bigint()}@`)));
  };
  timer = setTimeout(() => {
    timer = setInterval(tick, ms);
  }, phase() * ms);
}

function answer(socket: Socket, path: string, body: string): void {
  const script = path.endsWith('/responses') ? RESPONSES : CHAT;
  const model = /"model"\s*:\s*"([^"]+)"/.exec(body)?.[1] ?? '';
  const [kind, first = '0', second = '0'] = model.split('-');
  if (kind === 'burst') burst(socket, script, Number(first));
  else if (kind === 'paced') paced(socket, script, Number(first), Number(second));
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
      const [, path = ''] = seen.slice(0, seen.indexOf('\r\n')).split(' ');
      const body = seen.slice(head + 4, end);
      seen = seen.slice(end);
      answer(socket, path, body);
    }
  });
});
server.listen({ port: 0, host: '127.0.0.1', backlog: 4_096 }, () => {
  const address = server.address();
  if (address !== null && typeof address === 'object') process.stdout.write(`${address.port}\n`);
});
