/** A plain HTTP client for tests of the edge: any header, no magic, and it tells a whole reply from one that was cut. */
import { Agent, type IncomingHttpHeaders, request } from 'node:http';

export interface Asked {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string | undefined>>;
  readonly body?: string | Uint8Array;
  /** The head has come; the function leaves: it destroys the connection. */
  readonly onHead?: (status: number, leave: () => void) => void;
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
export function ask(url: string, { method, headers = {}, body, onHead }: Asked = {}): Promise<Told> {
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
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      onHead?.(response.statusCode ?? 0, () => asked.destroy());
      // An early close is told by `complete`.
      response.on('error', () => {});
      response.on('close', () => {
        const text = Buffer.concat(chunks).toString();
        const json = (): unknown => JSON.parse(text);
        const { statusCode: status = 0, headers: told, complete: whole } = response;
        resolve({ status, headers: told, text, whole, json });
      });
    });
    asked.end(body);
  });
}
