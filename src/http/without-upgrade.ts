/**
 * A request that offers an upgrade which is not made, as Java's clients and curl offer HTTP/2 with their first one. A
 * server may ignore the offer; an older Node stops reading the connection as HTTP, so the request is put to it once more.
 */
import type { IncomingMessage, Server } from 'node:http';

export function serveWithoutUpgrade(server: Server, request: IncomingMessage, rest: Buffer): void {
  const { socket, method = '', url = '', httpVersion, rawHeaders } = request;
  let head = `${method} ${url} HTTP/${httpVersion}\r\n`;
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const [name = '', value = ''] = rawHeaders.slice(at, at + 2);
    const kept = keptOf(name.toLowerCase(), value);
    if (kept !== undefined) head += `${name}: ${kept}\r\n`;
  }
  // As Node read them: one byte is one character.
  socket.unshift(Buffer.concat([Buffer.from(`${head}\r\n`, 'latin1'), rest]));
  server.emit('connection', socket);
}

function keptOf(name: string, value: string): string | undefined {
  if (name === 'upgrade' || name === 'http2-settings') return undefined;
  if (name !== 'connection') return value;
  const words = value.split(',').map((word) => word.trim());
  const kept = words.filter((word) => !/^(upgrade|http2-settings)$/i.test(word)).join(', ');
  return kept === '' ? undefined : kept;
}
