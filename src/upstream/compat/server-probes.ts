/**
 * The configured servers of which nobody knows what they are: each is asked for its models, for what the reply says of
 * itself. Owns who has not answered yet and the one timer. Nobody waits for it, and nothing fails with it.
 */
import { ClawError } from '../../core/errors.ts';
import { SERVER_PROBE_AGAIN_MS } from '../../core/limits.ts';
import type { UpstreamSpec } from '../../core/upstream-spec.ts';
import { shapes } from '../../dialect/dialects.ts';
import type { Cancel, Clock } from '../../lib/clock.ts';
import type { Log } from '../../lib/log.ts';
import { refusedLiteral } from '../address.ts';
import type { HttpGetter } from '../http-get.ts';
import { listRequest } from '../list-request.ts';
import { ownersIn } from '../model-list.ts';
import { Place } from '../place.ts';
import { type ServerName, serverOfHost, serverOfReply } from './known-servers.ts';

export interface ServerProbesParts {
  readonly nodeName: string;
  readonly clock: Clock;
  readonly getter: HttpGetter;
  readonly log: Log;
  /** One of them is known now. */
  readonly onKnown: () => void;
}

export class ServerProbes {
  readonly #parts: ServerProbesParts;
  /** Those that have not answered, by their address: one question for all models of a server. */
  readonly #open = new Map<string, UpstreamSpec>();
  readonly #known = new Map<string, ServerName>();
  readonly #closing = new AbortController();
  #stopTimer: Cancel = () => {};
  #round: Promise<void> = Promise.resolve();

  /** `listed`: the addresses that are asked for their models anyway. */
  constructor(specs: readonly UpstreamSpec[], listed: ReadonlySet<string>, parts: ServerProbesParts) {
    this.#parts = parts;
    for (const spec of specs) {
      if (!listed.has(spec.baseUrl) && isAskable(spec)) this.#open.set(spec.baseUrl, spec);
    }
  }

  /** What runs at that address, where it has said so. */
  serverAt(baseUrl: string): ServerName | undefined {
    return this.#known.get(baseUrl);
  }

  start(): void {
    this.#round = this.#ask();
  }

  /** Nothing is asked any more, and nothing that was asked is still open. */
  async close(): Promise<void> {
    this.#closing.abort();
    this.#stopTimer();
    await this.#round;
  }

  async #ask(): Promise<void> {
    await Promise.all([...this.#open.values()].map((spec) => this.#askOne(spec)));
    if (this.#open.size === 0 || this.#closing.signal.aborted) return;
    this.#stopTimer = this.#parts.clock.after(SERVER_PROBE_AGAIN_MS, () => this.start());
  }

  async #askOne(spec: UpstreamSpec): Promise<void> {
    const { nodeName, getter, log, onKnown } = this.#parts;
    const { baseUrl, card } = spec;
    const place = new Place(nodeName, { ...spec, card: { provider: card.provider } });
    const at = { provider: card.provider, at: place.origin };
    const notYet = (reason: string) => log.debug({ ...at, reason }, 'server not known yet');
    try {
      const request = listRequest(spec, place, shapes[card.dialect]);
      const { status, headers, text } = await getter.get(request, this.#closing.signal);
      // One that starts, or whose proxy does not find it, says more later; any other answer will not change.
      if (status >= 500) return notYet(`HTTP ${status}`);
      this.#open.delete(baseUrl);
      const server = serverOfReply(headers, ownersIn(text));
      if (server === undefined || this.#closing.signal.aborted) return;
      this.#known.set(baseUrl, server);
      log.debug({ ...at, server }, 'server known');
      onKnown();
    } catch (error) {
      notYet(ClawError.from(error, 'internal', 'the server could not be asked').message);
    }
  }
}

/** Services are known by their hosts, a gateway is known as what it is. */
function isAskable({ baseUrl, gateway }: UpstreamSpec): boolean {
  return (
    gateway === undefined &&
    serverOfHost(baseUrl) === undefined &&
    refusedLiteral(new URL(baseUrl)) === undefined
  );
}
