/** The HTTP before a WebSocket: a server that listens for upgrades alone, and gives whatever else comes the same plain 404. */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';

const NOT_FOUND = 'HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n';

export function refuse(tcp: Duplex): void {
  tcp.end(NOT_FOUND, () => tcp.destroy());
}

export function isUpgrade(request: IncomingMessage, subprotocol: string): boolean {
  const { headers } = request;
  return (
    request.method === 'GET' &&
    headers.upgrade?.toLowerCase() === 'websocket' &&
    headers['sec-websocket-version'] === '13' &&
    /^[+/0-9A-Za-z]{22}==$/.test(headers['sec-websocket-key'] ?? '') &&
    headers['sec-websocket-protocol'] === subprotocol &&
    headers.origin === undefined
  );
}
