/** A socket whose events are kept for a test to look at. */
import type { Socket } from '../../src/lib/socket.ts';

export class RecordedSocket {
  readonly socket: Socket;
  opened = 0;
  drained = 0;
  readonly messages: Buffer[] = [];
  readonly closed: { readonly code: number; readonly reason: string }[] = [];
  /** Events that came after the last one should have. */
  late = 0;

  constructor(socket: Socket) {
    this.socket = socket;
    const note = (what: () => void) => {
      if (this.closed.length > 0) this.late++;
      what();
    };
    socket.attach({
      open: () => note(() => this.opened++),
      message: (bytes) => note(() => this.messages.push(Buffer.from(bytes))),
      drained: () => note(() => this.drained++),
      closed: (code, reason) => note(() => this.closed.push({ code, reason })),
    });
  }

  get texts(): string[] {
    return this.messages.map((bytes) => bytes.toString('utf8'));
  }

  say(text: string): void {
    this.socket.send(Buffer.from(text, 'utf8'));
  }
}
