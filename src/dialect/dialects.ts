/** Every dialect there is, by name. */
import type { Dialect } from '../core/call.ts';
import { chat } from './chat.ts';
import { responses } from './responses.ts';
import type { DialectShape } from './shape.ts';

export type Shapes = Readonly<Record<Dialect, DialectShape>>;

export const shapes: Shapes = { chat, responses };
