/** Which menders a Responses stream passes through. */
import { LineEnds } from '../../mend/line-ends.ts';
import { MenderChain } from '../../mend/mender-chain.ts';
import type { Mending, StreamMender } from '../../shape.ts';
import { ResponsesMender } from './stream-mender.ts';

export function responsesMender(mending: Mending): StreamMender | undefined {
  return mending.repair ? new MenderChain([new LineEnds(), new ResponsesMender(mending)]) : undefined;
}
