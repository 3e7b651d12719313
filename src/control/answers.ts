/** What the command line can ask of a running daemon, and the form of each answer. */
import { z } from 'zod';
import { Card } from '../core/card.ts';
import { API_NAMES } from '../core/dialect.ts';
import { asNodeId, type NodeId } from '../core/ids.ts';
import type { ModelView, PeerView, StatusView } from '../core/views.ts';

export interface Answers {
  readonly status: StatusView;
  readonly peers: readonly PeerView[];
  readonly models: readonly ModelView[];
  /** Asks the daemon to stop; it says yes at once, and stops after that. */
  readonly stop: Running;
  /** Asks the daemon to start anew with its configuration as it is now; it answers once that has been checked. */
  readonly restart: Restarting;
  /** Which process it is. Never changes its form, so that daemons of any two versions can tell each other apart. */
  readonly pid: Running;
}

export interface Running {
  readonly pid: number;
}

export type Restarting =
  /** It drains and stops now, and comes back in the same process, with this number of its start. */
  | { readonly kind: 'accepted'; readonly pid: number; readonly bootEpoch: number }
  /** The configuration has faults, which the text lists: it goes on as before. */
  | { readonly kind: 'faulty'; readonly pid: number; readonly text: string }
  /** It was told to stop, and will. */
  | { readonly kind: 'stopping'; readonly pid: number };

export interface Question<Answer> {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly answer: z.ZodType<Answer>;
}

const nodeId = z.custom<NodeId>((value) => typeof value === 'string' && asNodeId(value) !== undefined);
const count = z.int().nonnegative();
const pid = z.int().positive();
const running = z.object({ pid });

const restarting = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('accepted'), pid, bootEpoch: count }),
  z.object({ kind: z.literal('faulty'), pid, text: z.string() }),
  z.object({ kind: z.literal('stopping'), pid }),
]);

// Unknown keys are dropped: the daemon may be newer than the command.
const status = z.object({
  id: nodeId,
  name: z.string(),
  version: z.string(),
  pid,
  bootEpoch: count,
  uptimeSeconds: z.number().nonnegative(),
  proxy: z.string(),
  listen: z.string().nullable(),
  peers: z.object({ direct: count, down: count }),
  models: z.object({ local: count, remote: count }),
  calls: z.object({ entry: count, owner: count }),
  warnings: z.array(z.string()),
});

const peer = z.object({
  id: nodeId.nullable(),
  name: z.string().nullable(),
  status: z.enum(['direct', 'relay', 'down']),
  rttMs: z.number().nullable(),
  path: z.array(z.string()),
  models: z.array(z.string()),
  version: z.string().nullable(),
  url: z.string().nullable(),
  reason: z.string().nullable(),
});

const model = z.object({
  id: z.string(),
  node: z.string(),
  nodeId,
  provider: z.string(),
  api: z.enum(API_NAMES),
  reachable: z.boolean(),
  contextWindow: z.number().nullable(),
  local: z.boolean(),
  card: Card,
});

export const QUESTIONS: { readonly [What in keyof Answers]: Question<Answers[What]> } = {
  status: { method: 'GET', path: '/status', answer: status },
  peers: { method: 'GET', path: '/peers', answer: z.array(peer) },
  models: { method: 'GET', path: '/models', answer: z.array(model) },
  stop: { method: 'POST', path: '/stop', answer: running },
  restart: { method: 'POST', path: '/restart', answer: restarting },
  pid: { method: 'GET', path: '/pid', answer: running },
};
