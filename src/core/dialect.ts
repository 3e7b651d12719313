/** The names of the dialects: their only list. Cards, the configuration's `api` and the views derive from it. */

export const DIALECTS = ['chat', 'responses'] as const;

/** One API shape: `chat` is Chat Completions (openai-completions), `responses` is Responses (openai-responses). */
export type Dialect = (typeof DIALECTS)[number];

/** The value of the configuration's `api` for each, by the names that OpenClaw gives them. */
export const API_NAMES = {
  chat: 'openai-completions',
  responses: 'openai-responses',
} as const satisfies Record<Dialect, string>;

export function dialectOfApi(api: string): Dialect | undefined {
  return DIALECTS.find((dialect) => API_NAMES[dialect] === api);
}
