/** What a browser is told of an allowed page of another origin: that it may ask, and what it may see of the answer. */
import type { ServerResponse } from 'node:http';
import { ROUTE_HEADER } from '../core/header-names.ts';

export function allowOrigin(response: ServerResponse, origin: string): void {
  response.setHeader('access-control-allow-origin', origin);
  response.setHeader('vary', 'Origin');
  response.setHeader('access-control-expose-headers', `x-request-id, ${ROUTE_HEADER}, server-timing`);
}

/** The answer to the question that comes before a request. */
export function allowRequests(response: ServerResponse, origin: string): void {
  allowOrigin(response, origin);
  response.setHeader('access-control-allow-methods', 'GET, POST, DELETE');
  response.setHeader('access-control-allow-headers', 'authorization, content-type, x-session-affinity');
  response.setHeader('access-control-max-age', '600');
}
