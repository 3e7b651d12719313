/** What is asked of the HTTP client, and what it gives. */
import type { Outcome } from '../core/call.ts';
import type { HubFailure } from '../dialect/hub.ts';
import type { ByteQueue } from '../lib/byte-queue.ts';
import type { HttpHead } from './head.ts';
import type { Intake } from './intake.ts';
import type { Place } from './place.ts';

export interface HttpRequest {
  readonly place: Place;
  readonly path: string;
  /** Left out: POST. */
  readonly method?: 'POST' | 'GET' | 'DELETE';
  /** Names and values in turn: what undici takes at the least cost. */
  readonly headers: readonly string[];
  readonly body: Uint8Array | null;
  readonly silenceMs: number;
  /** What is made of the reply. Throws a `ClawError` where its head alone shows that it is of no use. */
  readonly intake: (head: HttpHead) => Intake;
}

export interface HttpReply extends HttpHead {
  readonly body: ByteQueue;
  readonly ended: Promise<Outcome>;
  /** What the upstream said in place of an answer, though its status says success: there is no body then. */
  readonly failure: HubFailure | undefined;
}
