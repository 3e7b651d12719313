/** Every dialect there is, by name. */
import type { Dialect } from '../core/call.ts';
import { chat } from './chat.ts';
import { responses } from './responses.ts';
import type { DialectShape } from './shape.ts';

export const shapes: Record<Dialect, DialectShape> = { chat, responses };
