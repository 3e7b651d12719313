/** The head of an upstream's reply: its status and headers, and what they say of the body. */
import { type Headers, REPLY_HEADERS } from '../core/call.ts';
import { CARRIED_HEADER_CHARS_MAX } from '../core/limits.ts';

export interface HttpHead {
  readonly status: number;
  /** Lower-case names, one value each. */
  readonly headers: Headers;
}

export function headOf(status: number, headers: Record<string, string | string[] | undefined>): HttpHead {
  const one: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) one[name] = Array.isArray(value) ? value.join(', ') : value;
  }
  return { status, headers: one };
}

/** No length is stated: the body has no other end than that of the connection. */
export function endsByClosing({ headers }: HttpHead): boolean {
  return headers['content-length'] === undefined && headers['transfer-encoding'] === undefined;
}

/** The media type without its parameters; empty where none was sent. */
export function mediaType({ headers }: HttpHead): string {
  return (headers['content-type'] ?? '').replace(/;.*$/s, '').trim().toLowerCase();
}

/** The coding of a body that we did not ask to be coded. */
export function foreignCoding({ headers }: HttpHead): string | undefined {
  const coding = headers['content-encoding']?.trim().toLowerCase();
  return coding === undefined || coding === '' || coding === 'identity' ? undefined : coding;
}

/** A body in words: `an HTML body`. */
export function bodyInWords(head: HttpHead): string {
  const type = mediaType(head);
  if (type === 'text/html') return 'an HTML body';
  if (type === 'application/json') return 'a JSON body';
  return type === '' ? 'a body of no stated type' : `a body of type ${printable(type).slice(0, 64)}`;
}

/** What of the headers goes on to the client. */
export function carriedHeaders({ headers }: HttpHead): Record<string, string> {
  const carried: Record<string, string> = {};
  for (const name of REPLY_HEADERS) {
    const value = headers[name];
    if (value !== undefined && isCarried(value)) carried[name] = value;
  }
  return carried;
}

/** Printable ASCII of a bounded length: what any HTTP stack on the way takes. */
export function isCarried(value: string): boolean {
  return value.length <= CARRIED_HEADER_CHARS_MAX && /^[\t\x20-\x7e]*$/.test(value);
}

function printable(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '?');
}
