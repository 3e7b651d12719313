/** What the servers of a dialect can be relied on to know. Whatever a dialect lacks is made of what it has: `emulate/`. */
export type Ability =
  /** Tools that are handed in inside the conversation. */
  | 'addedTools'
  /** A choice among some of the tools. */
  | 'allowedTools'
  /** Tools that the provider runs. */
  | 'hostedTools'
  /** Tools under one name. */
  | 'namespaces'
  /** Tools that take free text. */
  | 'customTools'
  /** Texts that end the answer. */
  | 'stop';
