/**
 * The load generator: a process of its own, raw TCP, keep-alive. A line of JSON in is a job; it says when it starts to
 * measure and then what it measured. It reads no more of a reply than it must to find its end.
 */
import { connect, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import type { Figures, Job, Said } from './job.ts';

const DONE = Buffer.from('0\r\n\r\n');
const EVENT = Buffer.from('\ndata: ');
/** Of a token each 100 ms: behind this the next one has been sent. */
const LATE_MS = 100;
/** Connections opened in one go: more at once than a listener's backlog holds would be tried again a second later. */
const OPEN_AT_ONCE = 50;
const OPEN_EVERY_MS = 10;

/** Counts what the clients tell it, while it is told to. */
class Tally {
  counting = false;
  chunks = 0;
  late = 0;
  errors = 0;
  readonly took: number[] = [];
  readonly first: number[] = [];
  readonly delays: number[] = [];

  chunk(): void {
    if (this.counting) this.chunks++;
  }

  delayed(us: number): void {
    if (!this.counting) return;
    this.chunks++;
    if (us > LATE_MS * 1_000) this.late++;
    this.delays.push(us);
  }

  reply(tookUs: number, firstUs: number): void {
    if (!this.counting) return;
    this.took.push(tookUs);
    this.first.push(firstUs);
  }

  figures(seconds: number): Figures {
    for (const list of [this.took, this.first, this.delays]) list.sort((a, b) => a - b);
    return {
      requestsPerSecond: this.took.length / seconds,
      p50Us: quantile(this.took, 0.5),
      p99Us: quantile(this.took, 0.99),
      firstP50Us: quantile(this.first, 0.5),
      firstP99Us: quantile(this.first, 0.99),
      chunks: this.chunks,
      chunksPerSecond: this.chunks / seconds,
      delayP50Us: quantile(this.delays, 0.5),
      delayP99Us: quantile(this.delays, 0.99),
      late: this.late,
      errors: this.errors,
    };
  }
}

const quantile = (sorted: readonly number[], part: number) => sorted[Math.floor(sorted.length * part)] ?? 0;

type Reply =
  | { readonly kind: 'head'; readonly seen: Buffer }
  /** A body of stated length, and what is missing of it. */
  | { readonly kind: 'whole'; left: number; first: bigint }
  /** A chunked body, and its last bytes. */
  | { readonly kind: 'stream'; tail: Buffer; first: bigint };

const NOTHING = Buffer.alloc(0);

/** One connection that sends the job's request again and again. */
class Client {
  readonly #paced: boolean;
  readonly #request: Buffer;
  readonly #tally: Tally;
  readonly #socket: Socket;
  #sentAt = 0n;
  #reply: Reply = { kind: 'head', seen: NOTHING };

  constructor(job: Job, request: Buffer, tally: Tally) {
    this.#paced = job.paced;
    this.#request = request;
    this.#tally = tally;
    this.#socket = connect({ host: '127.0.0.1', port: job.port, noDelay: true });
    this.#socket.on('data', (bytes: Buffer) => this.#read(bytes));
    this.#socket.on('error', () => {});
    this.#socket.on('close', () => this.#fail());
    this.#send();
  }

  close(): void {
    this.#socket.removeAllListeners('close').destroy();
  }

  #send(): void {
    this.#sentAt = process.hrtime.bigint();
    this.#reply = { kind: 'head', seen: NOTHING };
    this.#socket.write(this.#request);
  }

  #fail(): void {
    this.#tally.errors++;
    this.close();
  }

  #read(bytes: Buffer): void {
    if (this.#reply.kind === 'head') this.#head(Buffer.concat([this.#reply.seen, bytes]));
    else this.#body(this.#reply, bytes);
  }

  #head(seen: Buffer): void {
    const end = seen.indexOf('\r\n\r\n');
    if (end < 0) {
      this.#reply = { kind: 'head', seen };
      return;
    }
    const head = seen.toString('latin1', 0, end);
    if (!head.startsWith('HTTP/1.1 200')) return this.#fail();
    const length = /content-length: *(\d+)/i.exec(head)?.[1];
    this.#reply =
      length === undefined
        ? { kind: 'stream', tail: NOTHING, first: 0n }
        : { kind: 'whole', left: Number(length), first: 0n };
    this.#body(this.#reply, seen.subarray(end + 4));
  }

  #body(reply: Exclude<Reply, { kind: 'head' }>, bytes: Buffer): void {
    if (bytes.length === 0) return;
    if (reply.first === 0n) reply.first = process.hrtime.bigint();
    if (reply.kind === 'whole') {
      reply.left -= bytes.length;
      if (reply.left <= 0) this.#done(reply.first);
      return;
    }
    this.#events(bytes);
    reply.tail = (bytes.length < DONE.length ? Buffer.concat([reply.tail, bytes]) : bytes).subarray(
      -DONE.length,
    );
    if (reply.tail.equals(DONE)) this.#done(reply.first);
  }

  #events(bytes: Buffer): void {
    if (!this.#paced) {
      for (let at = bytes.indexOf(EVENT); at >= 0; at = bytes.indexOf(EVENT, at + 1)) this.#tally.chunk();
      return;
    }
    const now = process.hrtime.bigint();
    for (const [, sent = '0'] of bytes.toString('latin1').matchAll(/@(\d+)@/g)) {
      this.#tally.delayed(Number(now - BigInt(sent)) / 1_000);
    }
  }

  #done(first: bigint): void {
    const took = Number(process.hrtime.bigint() - this.#sentAt) / 1_000;
    this.#tally.reply(took, Number(first - this.#sentAt) / 1_000);
    this.#send();
  }
}

function requestOf(job: Job): Buffer {
  const said = job.path.endsWith('/responses')
    ? { input: 'hi' }
    : { messages: [{ role: 'user', content: 'hi' }] };
  const body = JSON.stringify({ model: job.model, stream: job.stream, ...said });
  const headers = {
    Host: `127.0.0.1:${job.port}`,
    'Content-Type': 'application/json',
    'Content-Length': body.length,
    ...job.headers,
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return Buffer.from(`POST ${job.path} HTTP/1.1\r\n${lines.join('')}\r\n${body}`);
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const say = (said: Said) => void process.stdout.write(`${JSON.stringify(said)}\n`);

async function run(job: Job): Promise<Figures> {
  const request = requestOf(job);
  const tally = new Tally();
  const clients: Client[] = [];
  while (clients.length < job.inFlight) {
    if (clients.length > 0 && clients.length % OPEN_AT_ONCE === 0) await pause(OPEN_EVERY_MS);
    clients.push(new Client(job, request, tally));
  }
  await pause(job.warmMs);
  tally.counting = true;
  const startedAt = process.hrtime.bigint();
  say({ kind: 'measuring' });
  await pause(job.ms);
  tally.counting = false;
  const seconds = Number(process.hrtime.bigint() - startedAt) / 1e9;
  for (const client of clients) client.close();
  return tally.figures(seconds);
}

for await (const line of createInterface({ input: process.stdin })) {
  say({ kind: 'measured', figures: await run(JSON.parse(line)) });
}
