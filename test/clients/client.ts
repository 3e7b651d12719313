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
  /** What the user says after each answer, in the same conversation. */
  readonly andThen?: readonly string[];
  /** A PNG in base64. */
  readonly image?: string;
  /** Offers the tool `get_weather`; the client answers its calls with this and asks on until there are none. */
  readonly weather?: (city: string) => string;
  /** Wants JSON that fits `CITY`. */
  readonly asJson?: true;
  /** Asks without a stream. */
  readonly isWhole?: true;
  /** What was said before is not sent again but referred to, as the library does it. */
  readonly byReference?: true;
}

/** What the user of the client library got. */
export interface Heard {
  /** Of the last answer. */
  readonly text: string;
  /** Pieces of text that arrived one by one, in all steps. */
  readonly pieces: readonly string[];
  readonly reasoning: string;
  readonly refusal: string;
  /** Of the last step. */
  readonly usage: Usage;
  /** Why the last answer ended: `stop`, `length` or `content_filter`. */
  readonly ending: string | undefined;
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

/** What not every library can do or tell. Nothing is promised for what it cannot. */
export type Ability =
  | 'headers of a refusal'
  | 'whole answers'
  | 'JSON of a schema'
  | 'reasoning'
  /** It sends an assistant's reasoning back with the result of a tool. */
  | 'reasoning of earlier turns'
  /** It sends back what was said in the same breath as a call of a tool. */
  | 'text beside its calls'
  | 'refusals'
  | 'length as an ending'
  | 'a filter as an ending'
  | 'references';

export interface Client {
  /** The package and its version. */
  readonly name: string;
  readonly api: Api;
  readonly abilities: readonly Ability[];
  /** Asks and hears the answer to its end. Throws what the library throws. */
  ask(place: Place, question: Question): Promise<Heard>;
  /** What the library's own error says; undefined for any other error. */
  failure(error: unknown): Failure | undefined;
  /** The ids of all models; left out where the library has no such call. */
  models?(url: string): Promise<readonly string[]>;
}

const city = { type: 'object' as const, properties: { city: { type: 'string' as const } } };

export const CITY = { ...city, required: ['city'], additionalProperties: false };

export const WEATHER = { name: 'get_weather', description: 'The weather of a city.', parameters: CITY };

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
