/** A plain HTTP client for tests of the edge: any header, no magic, and it tells a whole reply from one that was cut. */
import { Agent, type IncomingHttpHeaders, request } from 'node:http';
import { checkStream } from '../support/checked-streams.ts';

export interface Asked {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string | undefined>>;
  readonly body?: string | Uint8Array;
  /** The head has come; the function leaves: it destroys the connection. */
  readonly onHead?: (status: number, leave: () => void) => void;
  /** What has come so far, at each piece of it. */
  readonly onText?: (text: string) => void;
  /** Why the rules of streams are not asked about what comes. */
  readonly unchecked?: string;
}

export interface Told {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  /** False where the connection closed before the body's own end. */
  readonly whole: boolean;
  json(): unknown;
}

/** Sends one request on a connection of its own and reads the whole answer. */
export function ask(
  url: string,
  { method, headers = {}, body, onHead, onText, unchecked }: Asked = {},
): Promise<Told> {
  const sent: Record<string, string> = body === undefined ? {} : { 'content-type': 'application/json' };
  const unset: string[] = [];
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined) unset.push(name);
    else sent[name] = value;
  }
  for (const name of unset) delete sent[name];
  return new Promise((resolve, reject) => {
    const agent = new Agent({ keepAlive: false });
    const asked = request(url, {
      method: method ?? (body === undefined ? 'GET' : 'POST'),
      headers: sent,
      agent,
    });
    asked.on('error', reject);
    asked.on('response', (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => {
        chunks.push(chunk);
        onText?.(Buffer.concat(chunks).toString());
      });
      onHead?.(response.statusCode ?? 0, () => asked.destroy());
      // An early close is told by `complete`.
      response.on('error', () => {});
      response.on('close', () => {
        const text = Buffer.concat(chunks).toString();
        const json = (): unknown => JSON.parse(text);
        const { statusCode: status = 0, headers: told, complete: whole } = response;
        try {
          if (unchecked === undefined && isStream(told)) checkStream(text, whole);
        } catch (breach) {
          reject(breach);
        }
        resolve({ status, headers: told, text, whole, json });
      });
    });
    asked.end(body);
  });
}

function isStream({ 'content-type': type = '' }: IncomingHttpHeaders): boolean {
  return type.startsWith('text/event-stream');
}
