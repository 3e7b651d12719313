/**
 * The load generator: a process of its own, raw TCP, keep-alive. One JSON job on the command line, one JSON line of
 * figures out. It reads no more of a reply than it must to find its end.
 */
import { connect, type Socket } from 'node:net';
import type { Figures, Job } from './job.ts';

const DONE = Buffer.from('0\r\n\r\n');
const EVENT = Buffer.from('\ndata: ');

/** One connection that sends the job's request again and again. */
class Client {
  readonly #job: Job;
  readonly #request: Buffer;
  readonly #socket: Socket;
  #sentAt = 0n;
  #reply: { first: bigint; head: boolean; left: number; tail: Buffer } | undefined;
  onReply: (tookUs: number, firstUs: number) => void = () => {};
  onChunk: (delayUs: number | undefined) => void = () => {};
  onError: () => void = () => {};

  constructor(job: Job, request: Buffer) {
    this.#job = job;
    this.#request = request;
    this.#socket = connect({ host: '127.0.0.1', port: job.port, noDelay: true });
    this.#socket.on('data', (bytes) => this.#read(bytes));
    this.#socket.on('error', () => this.onError());
  }

  send(): void {
    this.#sentAt = process.hrtime.bigint();
    this.#reply = { first: 0n, head: false, left: -1, tail: Buffer.alloc(0) };
    this.#socket.write(this.#request);
  }

  close(): void {
    this.#socket
      .removeAllListeners()
      .on('error', () => {})
      .destroy();
  }

  #read(bytes: Buffer): void {
    const reply = this.#reply;
    if (reply === undefined) return;
    let body = bytes;
    if (!reply.head) {
      body = Buffer.concat([reply.tail, bytes]);
      const end = body.indexOf('\r\n\r\n');
      if (end < 0) {
        reply.tail = body;
        return;
      }
      const head = body.toString('latin1', 0, end);
      if (!head.startsWith('HTTP/1.1 200')) return this.onError();
      reply.head = true;
      reply.left = Number(/content-length: *(\d+)/i.exec(head)?.[1] ?? -1);
      reply.tail = Buffer.alloc(0);
      body = body.subarray(end + 4);
    }
    if (body.length === 0) return;
    if (reply.first === 0n) reply.first = process.hrtime.bigint();
    if (reply.left >= 0) {
      reply.left -= body.length;
      if (reply.left <= 0) this.#done(reply.first);
      return;
    }
    this.#events(body);
    reply.tail = Buffer.concat([reply.tail, body]).subarray(-DONE.length);
    if (reply.tail.equals(DONE)) this.#done(reply.first);
  }

  #events(body: Buffer): void {
    if (this.#job.paced) {
      const now = process.hrtime.bigint();
      for (const [, sent] of body.toString('latin1').matchAll(/@(\d+)@/g)) {
        this.onChunk(Number(now - BigInt(sent ?? 0)) / 1_000);
      }
      return;
    }
    for (let at = body.indexOf(EVENT); at >= 0; at = body.indexOf(EVENT, at + 1)) this.onChunk(undefined);
  }

  #done(first: bigint): void {
    this.#reply = undefined;
    const took = Number(process.hrtime.bigint() - this.#sentAt) / 1_000;
    this.onReply(took, Number(first - this.#sentAt) / 1_000);
  }
}

function requestOf(job: Job): Buffer {
  const said = job.path.endsWith('/responses')
    ? { input: 'hi' }
    : { messages: [{ role: 'user', content: 'hi' }] };
  const body = JSON.stringify({ model: job.model, stream: job.stream, ...said });
  return Buffer.from(
    `POST ${job.path} HTTP/1.1\r\nHost: 127.0.0.1:${job.port}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
  );
}

const quantile = (sorted: readonly number[], part: number) => sorted[Math.floor(sorted.length * part)] ?? 0;

async function run(job: Job): Promise<Figures> {
  const request = requestOf(job);
  const took: number[] = [];
  const first: number[] = [];
  const delays: number[] = [];
  let chunks = 0;
  let errors = 0;
  let counting = false;
  const clients = Array.from({ length: job.inFlight }, () => new Client(job, request));
  for (const client of clients) {
    client.onChunk = (delay) => {
      if (!counting) return;
      chunks++;
      if (delay !== undefined) delays.push(delay);
    };
    client.onReply = (tookUs, firstUs) => {
      if (counting) {
        took.push(tookUs);
        first.push(firstUs);
      }
      client.send();
    };
    client.onError = () => {
      errors++;
    };
    client.send();
  }
  await new Promise((resolve) => setTimeout(resolve, job.warmMs));
  counting = true;
  const startedAt = process.hrtime.bigint();
  await new Promise((resolve) => setTimeout(resolve, job.ms));
  counting = false;
  const seconds = Number(process.hrtime.bigint() - startedAt) / 1e9;
  for (const client of clients) client.close();
  for (const list of [took, first, delays]) list.sort((a, b) => a - b);
  return {
    requestsPerSecond: took.length / seconds,
    p50Us: quantile(took, 0.5),
    p99Us: quantile(took, 0.99),
    firstP50Us: quantile(first, 0.5),
    firstP99Us: quantile(first, 0.99),
    chunks,
    chunksPerSecond: chunks / seconds,
    delayP50Us: quantile(delays, 0.5),
    delayP99Us: quantile(delays, 0.99),
    errors,
  };
}

const job: Job = JSON.parse(process.argv[2] ?? '{}');
process.stdout.write(`${JSON.stringify(await run(job))}\n`);
process.exit(0);
