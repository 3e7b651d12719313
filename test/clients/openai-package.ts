/** What both APIs of the `openai` package have in common. */
import type OpenAI from 'openai6';
import type { Ability, Client, Place } from './client.ts';

export type Sdk = typeof OpenAI;

/** What is read of one answer, by either API. */
export interface Said<Piece> {
  readonly pieces: readonly string[];
  readonly answer: Piece;
}

export const ABILITIES: readonly Ability[] = [
  'headers of a refusal',
  'whole answers',
  'JSON of a schema',
  'reasoning',
  'text beside its calls',
  'refusals',
  'length as an ending',
  'a filter as an ending',
];

export async function models(Sdk: Sdk, url: string): Promise<readonly string[]> {
  const ids: string[] = [];
  for await (const { id } of connect(Sdk, url).models.list()) ids.push(id);
  return ids;
}

export function connect(Sdk: Sdk, url: Place['url']): OpenAI {
  return new Sdk({ baseURL: url, apiKey: 'any', maxRetries: 0 });
}

export function failure(Sdk: Sdk, error: unknown): ReturnType<Client['failure']> {
  if (isErrorEvent(error)) return { status: undefined, message: error.message, retryAfter: undefined };
  // What breaks a stream after its head is the parent class.
  if (!(error instanceof Sdk.OpenAIError)) return undefined;
  if (!(error instanceof Sdk.APIError))
    return { status: undefined, message: error.message, retryAfter: undefined };
  const retryAfter = retryAfterOf(error.headers);
  return { status: error.status, message: error.message, retryAfter };
}

/** The fourth major has a plain object of headers. */
function retryAfterOf(headers: unknown): string | undefined {
  if (headers instanceof Headers) return headers.get('retry-after') ?? undefined;
  const value: unknown = Object(headers)['retry-after'];
  return typeof value === 'string' ? value : undefined;
}

/** The helper for Responses hands an error event on as it came. */
function isErrorEvent(error: unknown): error is OpenAI.Responses.ResponseErrorEvent {
  return typeof error === 'object' && error !== null && 'type' in error && error.type === 'error';
}
