/** The answer to what is no request: it never became one, so there is nothing to answer with but the socket. */
import type { Socket } from 'node:net';
import type { ErrorCode } from '../core/errors.ts';
import { HTTP_HEADER_BYTES_MAX } from '../core/limits.ts';

/** What is no HTTP, or too slow, or too long: there is no request to answer to, so the words go out by hand. */
export function answerBrokenRequest(error: NodeJS.ErrnoException, socket: Socket): void {
  if (!socket.writable || socket.bytesWritten > 0) {
    socket.destroy();
    return;
  }
  const [line, code, text] = brokenRequest(error.code);
  const body = JSON.stringify({ error: { message: text, type: 'invalid_request_error', param: null, code } });
  const head = `HTTP/1.1 ${line}\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}`;
  socket.end(`${head}\r\nconnection: close\r\n\r\n${body}`);
}

function brokenRequest(code: string | undefined): readonly [string, ErrorCode, string] {
  if (code === 'HPE_HEADER_OVERFLOW')
    return [
      '431 Request Header Fields Too Large',
      'bad_request',
      `the headers are larger than ${HTTP_HEADER_BYTES_MAX} bytes`,
    ];
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT')
    return ['408 Request Timeout', 'request_timeout', 'the request did not arrive in time'];
  return ['400 Bad Request', 'bad_request', 'this is no valid HTTP/1.1 request'];
}
