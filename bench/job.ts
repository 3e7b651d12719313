/** What the load generator is asked for, and what it measured. */

export interface Job {
  readonly port: number;
  readonly path: string;
  readonly model: string;
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
  readonly errors: number;
}
