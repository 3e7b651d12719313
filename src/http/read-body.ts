/** The body of a request: bounded in size and time, and out of the one budget that all of them share. */
import type { ServerResponse } from 'node:http';
import { ClawError } from '../core/errors.ts';
import { BUSY_RETRY_SECONDS, HTTP_REQUEST_MS, REQUEST_BODY_BYTES_MAX } from '../core/limits.ts';
import type { Budget } from '../lib/budget.ts';
import { tooLarge } from './guard.ts';
import type { Visit } from './visit.ts';

/** The bytes of a request, taken out of a budget until `release`. */
export interface HeldBody {
  readonly bytes: Uint8Array;
  release(): void;
}

/** Bytes that are there already. Throws `busy` where there is no room for them. */
export function heldBytes(bytes: Uint8Array, budget: Budget): HeldBody {
  if (!budget.take(bytes.length)) throw noRoom();
  return { bytes, release: () => budget.give(bytes.length) };
}

/** Reads the whole body, or rejects with what the client did wrong; the signal says that it left. */
export function readBody(
  { request, clock }: Visit,
  response: ServerResponse,
  budget: Budget,
): Promise<HeldBody> {
  return new Promise((resolve, reject) => {
    const declared = request.headers['content-length'];
    const chunks: Uint8Array[] = [];
    let bytes = 0;
    let taken = 0;
    const cancel = clock.after(HTTP_REQUEST_MS, () => {
      const seconds = HTTP_REQUEST_MS / 1000;
      fail(new ClawError('request_timeout', `the request body did not arrive within ${seconds} s`));
    });
    const release = () => {
      budget.give(taken);
      taken = 0;
    };
    const over = () => {
      cancel();
      request.off('data', onData).off('end', onEnd).off('close', onClose);
    };
    const fail = (error: ClawError) => {
      over();
      release();
      request.pause();
      reject(error);
    };
    const take = (wanted: number): boolean => {
      if (!budget.take(wanted)) {
        fail(noRoom());
        return false;
      }
      taken += wanted;
      return true;
    };
    const onData = (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > REQUEST_BODY_BYTES_MAX) return fail(tooLarge());
      if (bytes > taken && !take(bytes - taken)) return;
      chunks.push(chunk);
    };
    const onEnd = () => {
      over();
      const [first] = chunks;
      const whole = chunks.length === 1 && first !== undefined ? first : Buffer.concat(chunks, bytes);
      resolve({ bytes: whole, release });
    };
    const onClose = () => fail(new ClawError('cancelled', 'the client left before its request was whole'));
    if (declared !== undefined && !take(Number(declared))) return;
    request.on('data', onData).once('end', onEnd).once('close', onClose);
    if (request.headers.expect?.toLowerCase() === '100-continue') response.writeContinue();
  });
}

function noRoom(): ClawError {
  return new ClawError('busy', 'this node holds as many request bodies as it may', {
    retryAfterSeconds: BUSY_RETRY_SECONDS,
  });
}
