/** What is odd about a configuration and keeps no daemon from starting. Never holds a secret's value. */

export interface Warning {
  readonly what: string;
  /** How to mend it, where that is more than to edit the file. */
  readonly mend?: string;
  /** A file that others can read, where that is all there is to it. */
  readonly tooOpen?: string;
}

/** As one line of text. */
export function warningText({ what, mend }: Warning): string {
  if (mend === undefined) return what;
  return `${what}${what.includes(': ') ? ';' : ':'} ${mend}`;
}

export function scrubbed(warning: Warning, scrub: (text: string) => string): Warning {
  const { what, mend } = warning;
  return { ...warning, what: scrub(what), ...(mend === undefined ? {} : { mend: scrub(mend) }) };
}
