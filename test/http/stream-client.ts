/** A client of a stream that can be looked at while it comes, and asked what it has understood so far. */
import { Agent, type IncomingHttpHeaders, request } from 'node:http';
import { checkStream } from '../support/checked-streams.ts';
import { within } from '../support/eventually.ts';
import { ask } from './ask.ts';

/** A comment has no data. */
export interface Heard {
  readonly comment?: string;
  readonly name?: string | undefined;
  readonly data?: string;
}

export class StreamClient {
  status = 0;
  headers: IncomingHttpHeaders = {};
  text = '';
  /** False where the connection closed before the body's own end. */
  whole = false;
  over = false;
  readonly #closed: Promise<void>;
  readonly #leave: () => void;

  constructor(url: string, body: string) {
    const headers = { 'content-type': 'application/json' };
    const asked = request(url, { method: 'POST', headers, agent: new Agent({ keepAlive: false }) });
    this.#closed = new Promise((resolve, reject) => {
      asked.on('error', reject);
      asked.on('response', (response) => {
        this.status = response.statusCode ?? 0;
        this.headers = response.headers;
        response.setEncoding('utf8').on('data', (text: string) => {
          this.text += text;
        });
        response.on('error', () => {});
        response.on('close', () => {
          this.whole = response.complete;
          this.over = true;
          resolve();
        });
      });
    });
    this.#closed.catch(() => {});
    this.#leave = () => asked.destroy();
    asked.end(body);
  }

  leave(): void {
    this.#leave();
  }

  async closed(): Promise<this> {
    await within('the stream closes', this.#closed);
    if (this.headers['content-type']?.startsWith('text/event-stream') === true)
      checkStream(this.text, this.whole);
    return this;
  }

  /** What has come as whole events and comments, in order. */
  get heard(): readonly Heard[] {
    return this.text
      .slice(0, this.text.lastIndexOf('\n\n') + 2)
      .split('\n\n')
      .slice(0, -1)
      .map((block) => {
        if (block.startsWith(':')) return { comment: block.slice(1).trim() };
        const match = /^(?:event: (.+)\n)?data: (.+)$/.exec(block);
        if (match === null) throw new Error(`not an event as we write them: ${block}`);
        return { name: match[1], data: match[2] ?? '' };
      });
  }

  /** The JSON of the events with data; `[DONE]` as it is. */
  get events(): readonly unknown[] {
    return this.heard.flatMap(({ data }): unknown[] => {
      if (data === undefined) return [];
      return [data === '[DONE]' ? data : JSON.parse(data)];
    });
  }

  get comments(): readonly string[] {
    return this.heard.flatMap(({ comment }) => (comment === undefined ? [] : [comment]));
  }
}

/** What the edge had written before has been read when this resolves: it takes several turns of the event loop. */
export async function settled(url: string): Promise<void> {
  await ask(`${url}/health`);
}
