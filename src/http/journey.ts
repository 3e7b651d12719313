/** What a call told of its way: the targets that were tried, and when its owner took it. For the route and the log. */
import type { Headers, Progress, Standing } from '../core/call.ts';
import type { ClawError } from '../core/errors.ts';
import { LEFT_OUT_HEADER, ROUTE_HEADER } from '../core/header-names.ts';
import type { Home } from '../core/history.ts';
import { changed } from '../lib/changed.ts';
import type { Visit } from './visit.ts';

const WAITING: Standing = { kind: 'waiting' };

export class Journey {
  readonly #visit: Visit;
  /** As the route header writes it: of the target that is being tried, or that answered. */
  #route: string | undefined;
  #attempts: number | undefined;
  #ackMs: number | undefined;
  #leftOut: string | undefined;
  #standing: Standing = WAITING;
  #home: Home | undefined;

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

  /** Who is being tried, or has answered. */
  get home(): Home | undefined {
    return this.#home;
  }

  /** What the upstream does before its answer begins, in a word for people; undefined where nobody told. */
  get doing(): string | undefined {
    const standing = this.#standing;
    switch (standing.kind) {
      case 'waiting':
        return undefined;
      case 'loading':
        return 'loading';
      case 'prefill':
        return `prefill ${standing.done}/${standing.total}`;
    }
  }

  readonly report = (progress: Progress): void => {
    if (progress.kind === 'trying') {
      this.#route = progress.route;
      this.#home = { target: progress.target, dialect: progress.dialect };
      this.#attempts = (this.#attempts ?? 0) + 1;
      this.#ackMs = undefined;
      this.#standing = WAITING;
    } else if (progress.kind === 'accepted') {
      this.#ackMs ??= this.#visit.elapsedMs();
    } else {
      this.#standing = progress;
    }
  };

  /** The parameters that its upstream was not told of; undefined where it was told of all. */
  get leftOut(): string | undefined {
    return this.#leftOut;
  }

  /** A reply has come, or the last failure: whoever made it knows best where it ran. */
  arrived(headers: Headers): void {
    this.#route = headers[ROUTE_HEADER] ?? this.#route;
    this.#leftOut = headers[LEFT_OUT_HEADER] ?? this.#leftOut;
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
