/** What the edge serves, and at which paths: each with and without `/v1`. */
import type { Dialect } from '../core/call.ts';
import { shapes } from '../dialect/dialects.ts';

export type Route =
  | { readonly kind: 'call'; readonly dialect: Dialect }
  | { readonly kind: 'models'; readonly all: boolean }
  /** As it stands in the path, slashes and all. */
  | { readonly kind: 'model'; readonly name: string }
  | { readonly kind: 'health' }
  | { readonly kind: 'status' };

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
  if (path === '/models') return { kind: 'models', all: new URLSearchParams(query).get('all') === '1' };
  if (path.startsWith('/models/')) return modelRoute(path.slice('/models/'.length));
  if (whole === '/health') return { kind: 'health' };
  if (whole === '/status') return { kind: 'status' };
  return undefined;
}

export function methodsOf(route: Route): readonly string[] {
  return route.kind === 'call' ? ['POST'] : ['GET', 'HEAD'];
}

function modelRoute(rest: string): Route | undefined {
  try {
    const name = decodeURIComponent(rest);
    return name === '' ? undefined : { kind: 'model', name };
  } catch {
    return undefined;
  }
}

function splitOnce(text: string, mark: string): [string, string] {
  const at = text.indexOf(mark);
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + mark.length)];
}
