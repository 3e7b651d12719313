/** Failures of the connection to an upstream, as the errors of this house. Pure. */
import { ClawError } from '../core/errors.ts';
import { UPSTREAM_CONNECT_MS } from '../core/limits.ts';
import { errnoOf } from '../lib/errno.ts';
import { AddressRefused } from './address.ts';
import type { Place } from './place.ts';
import { StreamReset } from './socket-end.ts';

/** What to do about each way that a connection fails, by the code of Node or undici. */
const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'the connection was refused: is the server running?',
  ENOTFOUND: 'its host name is not known: check the baseUrl',
  EAI_AGAIN: 'its host name could not be looked up: is this machine online?',
  EHOSTUNREACH: 'its host cannot be reached: is that machine on, and on this network?',
  ENETUNREACH: 'its network cannot be reached: is this machine online?',
  EMFILE: 'this node has as many files and connections open as it may: raise its limit (ulimit -n)',
  UND_ERR_DESTROYED: 'this node is stopping',
  EPIPE: 'it closed the connection before it answered',
  UND_ERR_SOCKET: 'it closed the connection before it answered',
  ECONNRESET: 'it closed the connection before it answered: does it speak http or https?',
  EPROTO: 'TLS failed: does it speak https?',
  CERT_HAS_EXPIRED: 'its TLS certificate has expired',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its TLS certificate is self-signed: trust it with NODE_EXTRA_CA_CERTS',
  SELF_SIGNED_CERT_IN_CHAIN: 'its TLS certificate is self-signed: trust it with NODE_EXTRA_CA_CERTS',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    'its TLS certificate cannot be verified: trust it with NODE_EXTRA_CA_CERTS',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its TLS certificate is for another name: check the baseUrl',
};

const TIMEOUTS = new Set(['UND_ERR_CONNECT_TIMEOUT', 'ETIMEDOUT']);

/** Nothing of the reply had come. */
export function faultBeforeHead(error: unknown, place: Place): ClawError {
  const code = errnoOf(error) ?? 'unknown';
  const at = `the upstream ${place.origin}`;
  if (TIMEOUTS.has(code)) {
    const text = `${at} took no connection within ${UPSTREAM_CONNECT_MS / 1000} s: is that machine on?`;
    return new ClawError('upstream_timeout', place.say(text), { cause: error });
  }
  if (isProtocol(error, code)) {
    const text = `${at} did not answer in HTTP/1.1: check the baseUrl`;
    return new ClawError('upstream_protocol', place.say(text), { cause: error });
  }
  const reason =
    error instanceof AddressRefused ? error.message : (REASONS[code] ?? `the connection failed (${code})`);
  return new ClawError('upstream_unreachable', place.say(`${at} cannot be reached: ${reason}`), {
    cause: error,
  });
}

/** The reply had begun. */
export function faultAfterHead(error: unknown, place: Place): ClawError {
  const how = error instanceof StreamReset ? 'reset the connection' : 'closed the connection';
  const text = `the upstream ${how} before its answer was complete: what came is not the whole`;
  return new ClawError('upstream_truncated', place.say(text), { cause: error });
}

export function silenceFault(ms: number, place: Place): ClawError {
  return new ClawError(
    'upstream_timeout',
    place.say(
      `no sign of life from the upstream for ${ms / 1000} s; timeouts.upstreamMs sets how long to wait`,
    ),
  );
}

/** A head over its limit, and a stated length that is none. */
const BAD_HEADS = new Set(['UND_ERR_HEADERS_OVERFLOW', 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH']);

/** undici's parser gives no code to what does not even begin as HTTP. */
function isProtocol(error: unknown, code: string): boolean {
  if (code.startsWith('HPE_') || BAD_HEADS.has(code)) return true;
  return error instanceof Error && error.name === 'HTTPParserError';
}
