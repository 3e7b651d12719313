/** What the tests ask of every client library, in words that all of them share. */
import { readFileSync } from 'node:fs';

export type Api = 'chat' | 'responses';

/** Where a client is pointed at: the entry's proxy, and one model of the owner. */
export interface Place {
  readonly url: string;
  readonly model: string;
}

export interface Question {
  readonly text: string;
  /** A PNG in base64. */
  readonly image?: string;
  /** Offers the tool `get_weather`; the client answers its calls with this and asks on until there are none. */
  readonly weather?: (city: string) => string;
}

/** What the user of the client library got, in all of its steps. */
export interface Heard {
  readonly text: string;
  /** Pieces of text that arrived one by one. */
  readonly pieces: readonly string[];
  /** Of the last step. */
  readonly usage: Usage;
}

export interface Usage {
  readonly input: number | undefined;
  readonly output: number | undefined;
}

export interface Failure {
  readonly status: number | undefined;
  readonly message: string;
  readonly retryAfter: string | undefined;
}

export interface Client {
  /** The package and its version. */
  readonly name: string;
  readonly api: Api;
  /** Its errors carry the headers of the reply. */
  readonly tellsHeaders: boolean;
  /** Asks with a stream and hears it to its end. Throws what the library throws. */
  ask(place: Place, question: Question): Promise<Heard>;
  /** What the library's own error says; undefined for any other error. */
  failure(error: unknown): Failure | undefined;
}

export const WEATHER = {
  name: 'get_weather',
  description: 'The weather of a city.',
  parameters: {
    type: 'object' as const,
    properties: { city: { type: 'string' as const } },
    required: ['city'],
    additionalProperties: false,
  },
};

export function cityOf(args: unknown): string {
  const read: unknown = typeof args === 'string' ? JSON.parse(args) : args;
  if (typeof read === 'object' && read !== null && 'city' in read) return String(read.city);
  throw new Error(`no city in ${JSON.stringify(args)}`);
}

/** `openai 5.23.2`: as it is installed, not as it was asked for. */
export function installed(folder: string): string {
  const file = new URL(`./node_modules/${folder}/package.json`, import.meta.url);
  const { name, version }: { name: string; version: string } = JSON.parse(readFileSync(file, 'utf8'));
  return `${name} ${version}`;
}
