/** Where a client brings the key of the proxy: as the servers of its dialect take theirs. */
import type { IncomingMessage } from 'node:http';
import { shapes } from '../dialect/dialects.ts';

/** Beside `Authorization: Bearer`: headers that hold nothing but the key. */
export const KEY_HEADERS: readonly string[] = Object.values(shapes).flatMap((shape) =>
  Object.entries(shape.authorization?.('key') ?? {}).flatMap(([name, value]) =>
    value === 'key' ? [name] : [],
  ),
);

/** Empty where there is none. */
export function keyOf({ headers }: IncomingMessage): string {
  const bearer = /^Bearer\s+(.+)$/i.exec(headers.authorization ?? '')?.[1]?.trim();
  if (bearer !== undefined) return bearer;
  const given = KEY_HEADERS.map((name) => headers[name]).find((value) => typeof value === 'string');
  return typeof given === 'string' ? given.trim() : '';
}
