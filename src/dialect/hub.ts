/** The one shape that all dialects translate through: richer than each, owned by none. */

/** To be filled by the dialects. */
export type HubRequest = Record<string, unknown>;
export type HubReply = Record<string, unknown>;
export type HubEvent = Record<string, unknown>;
