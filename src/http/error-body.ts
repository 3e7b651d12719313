/** The body of an error that has a status, as the clients of a dialect read it. Nearly all read OpenAI's. */
import type { Dialect, Reply } from '../core/call.ts';
import type { ErrorBody } from '../core/errors.ts';
import { errorOfRefusal } from '../core/refusal.ts';
import { type Shapes, shapes } from '../dialect/dialects.ts';
import { heldBody } from '../dialect/held-body.ts';
import { changed } from '../lib/changed.ts';
import { routeOf } from './route.ts';

/** For whoever asked at `url`: its path says which dialect that is. */
export function errorBodyAt(url: string, body: ErrorBody): unknown {
  const route = routeOf(url);
  return route?.kind === 'call' ? (shapes[route.dialect].errorBody?.(body) ?? body) : body;
}

/** An upstream's refusal, whose body is the same in every dialect, told in this one. */
export async function refusalIn(dialect: Dialect, reply: Reply, known: Shapes = shapes): Promise<Reply> {
  const shape = known[dialect];
  if (reply.status < 400 || shape.errorBody === undefined) return reply;
  const error = await errorOfRefusal(reply);
  const body = Buffer.from(JSON.stringify(shape.errorBody(error.body())));
  return changed(reply, heldBody(body, {}));
}
