/** One thing that `doctor` has looked at: how it stands, and how to mend it. */
import type { Looked } from '../../config/look.ts';
import type { ControlFault } from '../../control/fault.ts';
import type { StatusView } from '../../core/views.ts';
import { errnoOf } from '../../lib/errno.ts';
import type { World } from '../world.ts';

export type Level = 'ok' | 'warning' | 'problem';

export interface Finding {
  readonly level: Level;
  readonly what: string;
  readonly fix?: string;
}

/** What the checks know before they begin. */
export interface Case {
  readonly world: World;
  readonly looked: Looked;
  /** What the running daemon says of itself, or why it says nothing. */
  readonly daemon: StatusView | ControlFault;
  /** Whether permissions are to be mended. */
  readonly fix: boolean;
  /** What has been said of files, which is not to be said again. */
  readonly files: readonly Finding[];
  /** How a command for this node is typed. */
  readonly typed: (command: string) => string;
}

export function ok(what: string): Finding {
  return { level: 'ok', what };
}

export function warning(what: string, fix: string): Finding {
  return { level: 'warning', what, fix };
}

export function problem(what: string, fix: string): Finding {
  return { level: 'problem', what, fix };
}

/** The system's own code for what went wrong, as `ECONNREFUSED`; else the error's words. */
export function codeOf(error: unknown): string {
  return errnoOf(error) ?? (error instanceof Error ? error.message : String(error));
}
