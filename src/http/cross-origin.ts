/** What a browser is told of an allowed page of another origin: that it may ask, and what it may see of the answer. */
import type { ServerResponse } from 'node:http';
import { LEFT_OUT_HEADER, ROUTE_HEADER } from '../core/header-names.ts';
import { KEY_HEADERS } from './key-headers.ts';

const SHOWN = ['x-request-id', ROUTE_HEADER, LEFT_OUT_HEADER, 'server-timing'].join(', ');

/** What it may send. */
const ASKED = ['authorization', ...KEY_HEADERS, 'content-type', 'x-session-affinity'];

export function allowOrigin(response: ServerResponse, origin: string): void {
  response.setHeader('access-control-allow-origin', origin);
  response.setHeader('vary', 'Origin');
  response.setHeader('access-control-expose-headers', SHOWN);
}

/** The answer to the question that comes before a request. */
export function allowRequests(response: ServerResponse, origin: string): void {
  allowOrigin(response, origin);
  response.setHeader('access-control-allow-methods', 'GET, POST, DELETE');
  response.setHeader('access-control-allow-headers', ASKED.join(', '));
  response.setHeader('access-control-max-age', '600');
}
