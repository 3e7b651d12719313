/** What is taken out of a stream again, as its owner asked for it in the place of a client that did not. */
import type { Call } from '../../core/call.ts';
import type { Trim } from '../intake.ts';
import type { Fitted } from './fitting.ts';
import { Prefill } from './prefill.ts';
import { withoutUsage } from './without-usage.ts';

/** One for each stream; undefined where all of it is the client's. */
export function trimOf({ asksUsage, asksProgress }: Fitted, report: Call['report']): Trim | undefined {
  if (!asksProgress) return asksUsage ? withoutUsage : undefined;
  const prefill = new Prefill(report);
  return asksUsage ? (events) => withoutUsage(prefill.take(events)) : (events) => prefill.take(events);
}
