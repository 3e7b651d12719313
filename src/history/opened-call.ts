/** The call of a client whose answer is awaited, and that can be told once only how it ended. */
import type { Call } from '../core/call.ts';
import type { ResumedCall } from '../core/history.ts';
import type { RunningStreams } from './running.ts';

export type Endings = Pick<ResumedCall, 'keeps' | 'keep' | 'failed'>;

export function openedCall(
  running: RunningStreams,
  call: Call,
  { keeps, keep, failed }: Endings,
): ResumedCall {
  let over = () => {};
  return {
    call,
    keeps,
    keep,
    failed,
    runs: (stream) => {
      over = running.add(stream, (told) => keep(stream.home(), told));
    },
    over: () => over(),
  };
}
