/** The one question to a server that asks for no answer of a model: which models it has. */
import { DISCOVERY_ANSWER_MS, DISCOVERY_BYTES_MAX } from '../core/limits.ts';
import type { UpstreamSpec } from '../core/upstream-spec.ts';
import type { DialectShape } from '../dialect/shape.ts';
import { fixedHeaders } from './fixed-headers.ts';
import type { GetRequest } from './http-get.ts';
import type { Place } from './place.ts';

export function listRequest(
  server: Pick<UpstreamSpec, 'baseUrl' | 'apiKey' | 'headers'>,
  place: Place,
  shape: DialectShape,
): GetRequest {
  const { pathname, search } = new URL(server.baseUrl);
  return {
    place,
    path: `${pathname.replace(/\/+$/, '')}/models${search}`,
    headers: fixedHeaders(server, 'application/json', shape),
    answerMs: DISCOVERY_ANSWER_MS,
    bytesMax: DISCOVERY_BYTES_MAX,
  };
}
