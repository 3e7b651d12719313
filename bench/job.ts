/** What the load generator is asked for, and what it measured. One line of JSON each, in and out. */

export interface Job {
  readonly port: number;
  readonly path: string;
  readonly model: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly stream: boolean;
  /** Connections, each with one request at a time. */
  readonly inFlight: number;
  readonly warmMs: number;
  readonly ms: number;
  /** Events carry the time at which they were sent. */
  readonly paced: boolean;
}

export interface Figures {
  readonly requestsPerSecond: number;
  readonly p50Us: number;
  readonly p99Us: number;
  /** To the first byte of the body. */
  readonly firstP50Us: number;
  readonly firstP99Us: number;
  readonly chunks: number;
  readonly chunksPerSecond: number;
  /** From the moment the mock sent an event to its arrival; paced jobs only. */
  readonly delayP50Us: number;
  readonly delayP99Us: number;
  /** Events that came later than `LATE_MS` after they were sent; paced jobs only. */
  readonly late: number;
  /** Replies that were no 200 or lacked their end, and connections that failed. */
  readonly errors: number;
}

export type Said = { readonly kind: 'measuring' } | { readonly kind: 'measured'; readonly figures: Figures };
