/** What the edge serves, and at which paths: each with and without `/v1`. */
import type { Dialect, Operation } from '../core/call.ts';
import { isResponseId } from '../core/ids.ts';
import { shapes } from '../dialect/dialects.ts';

export type Route =
  | { readonly kind: 'call'; readonly dialect: Dialect; readonly operation?: Operation }
  | ResponseRoute
  | { readonly kind: 'models'; readonly all: boolean }
  /** As it stands in the path, slashes and all. */
  | { readonly kind: 'model'; readonly name: string }
  | { readonly kind: 'health' }
  | { readonly kind: 'status' };

/** A response that there is already, or what belongs to it. */
export interface ResponseRoute {
  readonly kind: 'response';
  readonly id: string;
  readonly of: 'response' | 'input_items' | 'cancel';
  /** Behind the `?`. */
  readonly query: string;
}

const RESPONSES = `${shapes.responses.path}/`;

const CALLS: ReadonlyMap<string, Dialect> = new Map(
  Object.values(shapes).map((shape) => [shape.path, shape.name]),
);

/** For people who typed another one. */
export const KNOWN_PATHS = [...CALLS.keys(), '/models']
  .map((path) => `/v1${path}`)
  .concat('/health', '/status');

export function routeOf(target: string): Route | undefined {
  const [whole = '', query = ''] = splitOnce(target, '?');
  const path = whole.startsWith('/v1/') ? whole.slice('/v1'.length) : whole;
  const dialect = CALLS.get(path);
  if (dialect !== undefined) return { kind: 'call', dialect };
  if (path.startsWith(RESPONSES)) return responseRoute(path.slice(RESPONSES.length), query);
  if (path === '/models') return { kind: 'models', all: new URLSearchParams(query).get('all') === '1' };
  if (path.startsWith('/models/')) return modelRoute(path.slice('/models/'.length));
  if (whole === '/health') return { kind: 'health' };
  if (whole === '/status') return { kind: 'status' };
  return undefined;
}

export function methodsOf(route: Route): readonly string[] {
  if (route.kind === 'call') return ['POST'];
  if (route.kind !== 'response' || route.of === 'input_items') return ['GET', 'HEAD'];
  return route.of === 'cancel' ? ['POST'] : ['GET', 'HEAD', 'DELETE'];
}

/** No id can be one of these words: what it would be the id of begins with `resp_`. */
function responseRoute(rest: string, query: string): Route | undefined {
  if (rest === 'compact' || rest === 'input_tokens')
    return { kind: 'call', dialect: 'responses', operation: { kind: rest } };
  const [written = '', of = 'response', ...more] = rest.split('/');
  const id = decoded(written);
  if (id === undefined || !isResponseId(id) || more.length > 0) return undefined;
  if (of !== 'response' && of !== 'input_items' && of !== 'cancel') return undefined;
  // A path that ends in this word is another one than that without it.
  if (of === 'response' && rest !== written) return undefined;
  return { kind: 'response', id, of, query };
}

function modelRoute(rest: string): Route | undefined {
  const name = decoded(rest);
  return name === undefined || name === '' ? undefined : { kind: 'model', name };
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

function splitOnce(text: string, mark: string): [string, string] {
  const at = text.indexOf(mark);
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + mark.length)];
}
