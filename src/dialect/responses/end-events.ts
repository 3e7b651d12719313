/** The events that end a Responses stream. Behind one of them nothing takes the answer back. */
export const END_EVENTS: ReadonlySet<unknown> = new Set([
  'response.completed',
  'response.incomplete',
  'response.failed',
]);
