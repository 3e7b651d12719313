/** A `Link` whose events are kept for a test to look at, and the options that most tests give one. */
import {
  HANDSHAKE_MS,
  RECORD_PLAIN_BYTES_MAX,
  RECORD_TAG_BYTES,
  SOCKET_CLOSE_MS,
} from '../../src/core/limits.ts';
import type { DialOptions, ListenOptions } from '../../src/lib/socket.ts';
import type { HandshakeOptions } from '../../src/mesh/handshake.ts';
import { newStaticKey } from '../../src/mesh/handshake.ts';
import { Link, type LinkOptions } from '../../src/mesh/link.ts';
import type { LinkEnd } from '../../src/mesh/link-end.ts';
import type { Frame, ReadyHead } from '../../src/protocol/frame.ts';
import { NETWORK_KEY } from './identities.ts';

export const HELLO: ReadyHead = {
  min: 1,
  max: 1,
  name: 'test',
  version: '0.0.0',
  epoch: 1,
  features: [],
  window: 65_536,
  certificate: '',
};

const SOCKET_CAPS = {
  messageBytesMax: RECORD_PLAIN_BYTES_MAX + RECORD_TAG_BYTES,
  fragmentsMax: 16,
  chunksMax: 1_024,
  closeMs: SOCKET_CLOSE_MS,
};

export const DIAL: DialOptions = {
  ...SOCKET_CAPS,
  subprotocol: 'test.v1',
  headers: {},
  openMs: HANDSHAKE_MS,
};

export function listening(onSocket: ListenOptions<string>['onSocket']): ListenOptions<string> {
  const doors = { host: 'ignored', port: 1, subprotocol: 'test.v1', openMs: HANDSHAKE_MS, pendingMax: 32 };
  return { ...SOCKET_CAPS, ...doors, admit: () => 'in', onSocket };
}

export function handshakeOf(
  role: HandshakeOptions['role'],
  identity: HandshakeOptions['identity'],
  more: Partial<HandshakeOptions> = {},
): HandshakeOptions {
  const prologue = Buffer.from('clawmatrix/1');
  return { role, identity, static: newStaticKey(), networkKey: NETWORK_KEY, prologue, ...more };
}

export class RecordedLink {
  readonly link: Link;
  readyTimes = 0;
  readonly frames: Frame[] = [];
  readonly ends: LinkEnd[] = [];

  constructor(options: Omit<LinkOptions, 'events' | 'hello'> & { readonly hello?: ReadyHead }) {
    this.link = new Link({
      hello: HELLO,
      ...options,
      events: {
        ready: () => this.readyTimes++,
        frame: (_link, frame) => this.frames.push(frame),
        closed: (_link, end) => this.ends.push(end),
      },
    });
  }

  get isOpen(): boolean {
    return this.readyTimes === 1 && this.ends.length === 0;
  }

  get end(): LinkEnd | undefined {
    return this.ends[0];
  }
}
