/** Why the control socket could not be opened, or gave no answer. */

export type ControlFaultKind =
  /** No daemon has this state directory open. */
  | 'not_running'
  /** One has, and another may not start on it. */
  | 'already_running'
  /** Something holds the socket and says nothing in time. */
  | 'silent'
  /** It was told to start anew, and its configuration has faults: it goes on with the old one. */
  | 'faulty'
  /** The answer is none that this version knows. */
  | 'garbled'
  /** It belongs to another user, or its path does not fit. */
  | 'unusable';

/** Its message is for a person: what, where, and how to mend it. */
export class ControlFault extends Error {
  override readonly name = 'ControlFault';
  readonly kind: ControlFaultKind;
  /** Of the daemon that is there, where it is known. */
  readonly pid: number | undefined;

  constructor(kind: ControlFaultKind, message: string, detail: { pid?: number; cause?: unknown } = {}) {
    super(message, detail.cause === undefined ? undefined : { cause: detail.cause });
    this.kind = kind;
    this.pid = detail.pid;
  }
}
