/** What a call told of its way: the targets that were tried, and when its owner took it. For the route and the log. */
import type { Headers, Progress } from '../core/call.ts';
import type { ClawError } from '../core/errors.ts';
import { ROUTE_HEADER } from '../core/header-names.ts';
import { changed } from '../lib/changed.ts';
import type { Visit } from './visit.ts';

export class Journey {
  readonly #visit: Visit;
  /** As the route header writes it: of the target that is being tried, or that answered. */
  #route: string | undefined;
  #attempts: number | undefined;
  #ackMs: number | undefined;

  constructor(visit: Visit) {
    this.#visit = visit;
  }

  get route(): string | undefined {
    return this.#route;
  }

  /** Undefined where nobody told of any. */
  get attempts(): number | undefined {
    return this.#attempts;
  }

  /** From the request to the owner's word that it takes the call; of the last owner that was tried. */
  get ackMs(): number | undefined {
    return this.#ackMs;
  }

  readonly report = (progress: Progress): void => {
    if (progress.kind === 'trying') {
      this.#route = progress.route;
      this.#attempts = (this.#attempts ?? 0) + 1;
      this.#ackMs = undefined;
    } else if (progress.kind === 'accepted') {
      this.#ackMs ??= this.#visit.elapsedMs();
    }
  };

  /** A reply has come, or the last failure: whoever made it knows best where it ran. */
  arrived(headers: Headers): void {
    this.#route = headers[ROUTE_HEADER] ?? this.#route;
  }

  /** `headers` with the route as it is by now: a body that was begun anew elsewhere has left the one of its head. */
  headers(headers: Headers): Headers {
    if (this.#route === undefined || headers[ROUTE_HEADER] === this.#route) return headers;
    return changed(headers, { [ROUTE_HEADER]: this.#route });
  }

  /** The error with the route in its headers. */
  routed(error: ClawError): ClawError {
    this.arrived(error.headers);
    return this.#route === undefined || ROUTE_HEADER in error.headers
      ? error
      : error.withHeaders({ [ROUTE_HEADER]: this.#route });
  }
}
