/** One event of a stream, however its framing writes it. */
export interface StreamEvent {
  /** The `event:` line, where there was one. */
  readonly name: string | undefined;
  readonly data: string;
}
