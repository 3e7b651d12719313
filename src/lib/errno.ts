/** The operating system's own code for what went wrong, such as `EACCES`, out of a thrown value. */

/** Undefined where it is no error of the system. */
export function errnoOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

/** Behind a text of our own, as ` (EACCES)`: the system's message repeats the path. Empty where there is no code. */
export function errnoText(error: unknown): string {
  const code = errnoOf(error);
  return code === undefined ? '' : ` (${code})`;
}

/** Whether it is the system's error with this code, such as `ENOENT`. */
export function isErrno(error: unknown, code: string): boolean {
  return errnoOf(error) === code;
}
