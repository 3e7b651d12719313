/** Which menders a Chat Completions stream passes through. */
import { LineEnds } from '../../mend/line-ends.ts';
import { MenderChain } from '../../mend/mender-chain.ts';
import type { Mending, StreamMender } from '../../shape.ts';
import { ChatMender } from './stream-mender.ts';
import { ThinkMender } from './think-mender.ts';

export function chatMender(mending: Mending): StreamMender | undefined {
  const { repair, thinkTags } = mending;
  if (!repair && !thinkTags) return undefined;
  const menders: StreamMender[] = [new LineEnds()];
  if (repair) menders.push(new ChatMender(mending));
  if (thinkTags) menders.push(new ThinkMender());
  return new MenderChain(menders);
}
