/** The one question to a server that asks for no answer of a model: which models it has. */
import { DISCOVERY_ANSWER_MS, DISCOVERY_BYTES_MAX } from '../core/limits.ts';
import type { UpstreamSpec } from '../core/upstream-spec.ts';
import type { DialectShape } from '../dialect/shape.ts';
import { fixedHeaders } from './fixed-headers.ts';
import type { GetRequest } from './http-get.ts';
import type { Place } from './place.ts';

type ListedServer = Pick<UpstreamSpec, 'baseUrl' | 'apiKey' | 'headers'>;

export function listRequest(server: ListedServer, place: Place, shape: DialectShape): GetRequest {
  const { pathname, search } = listUrl(server, shape);
  return {
    place,
    path: pathname + search,
    headers: listHeaders(server, shape),
    answerMs: DISCOVERY_ANSWER_MS,
    bytesMax: DISCOVERY_BYTES_MAX,
  };
}

export function listUrl({ baseUrl }: ListedServer, { modelList }: DialectShape): URL {
  const url = new URL(baseUrl);
  url.pathname = `${url.pathname.replace(/\/+$/, '')}${modelList?.path ?? '/models'}`;
  return url;
}

export function listHeaders(server: ListedServer, shape: DialectShape): Record<string, string> {
  return fixedHeaders(server, 'application/json', shape);
}
