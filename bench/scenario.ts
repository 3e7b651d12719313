/** What is asked of the targets, and which figures are taken from it. */
import type { Figures, Job } from './job.ts';
import { onResponses } from './nodes.ts';
import { TARGETS, type TargetName } from './target.ts';

export interface Scenario {
  readonly name: string;
  readonly job: Omit<Job, 'port' | 'headers' | 'ms' | 'warmMs'>;
  readonly of: (measured: Measured) => Readonly<Record<string, number>>;
  readonly targets: readonly TargetName[];
}

export interface Measured extends Figures {
  /** Of all processes between, for each second. */
  readonly cpuSeconds: number;
}

const CHAT = '/v1/chat/completions';
const RESPONSES = '/v1/responses';
const OURS: readonly TargetName[] = ['one', 'two'];

/** The figures that goals speak of. */
export const NAMES = {
  requests: 'req/s',
  cpuRequest: 'CPU µs/req',
  p50: 'p50 µs',
  p99: 'p99 µs',
  chunks: 'chunks/s',
  cpuChunk: 'CPU µs/chunk',
  first50: 'first p50 µs',
  first99: 'first p99 µs',
  delay50: 'delay p50 µs',
  delay99: 'delay p99 µs',
} as const;

export const smallName = (inFlight: number) => `small call, ${inFlight} in flight`;
export const streamName = (inFlight: number) => `stream, ${inFlight} at once`;
export const translatedName = (client: 'chat' | 'responses') =>
  `translated stream, 32 at once, ${client} client`;
export const PACED = 'a token every 20 ms, 32 streams';

const small = (inFlight: number): Scenario => ({
  name: smallName(inFlight),
  job: { path: CHAT, model: 'small', stream: false, inFlight, paced: false },
  of: ({ requestsPerSecond, p50Us, p99Us, cpuSeconds }) => ({
    [NAMES.requests]: requestsPerSecond,
    [NAMES.p50]: p50Us,
    [NAMES.p99]: p99Us,
    [NAMES.cpuRequest]: (cpuSeconds * 1e6) / requestsPerSecond,
  }),
  targets: TARGETS,
});

const stream = (
  name: string,
  job: Pick<Job, 'path' | 'model' | 'inFlight'>,
  targets: readonly TargetName[] = TARGETS,
): Scenario => ({
  name,
  job: { ...job, stream: true, paced: false },
  of: ({ chunksPerSecond, firstP50Us, firstP99Us, cpuSeconds }) => ({
    [NAMES.chunks]: chunksPerSecond,
    [NAMES.cpuChunk]: (cpuSeconds * 1e6) / chunksPerSecond,
    [NAMES.first50]: firstP50Us,
    [NAMES.first99]: firstP99Us,
  }),
  targets,
});

const paced: Scenario = {
  name: PACED,
  job: { path: CHAT, model: 'paced-20-500', stream: true, inFlight: 32, paced: true },
  of: ({ delayP50Us, delayP99Us }) => ({ [NAMES.delay50]: delayP50Us, [NAMES.delay99]: delayP99Us }),
  targets: TARGETS,
};

const burst = { path: CHAT, model: 'burst-200' };

export const SCENARIOS: readonly Scenario[] = [
  small(1),
  small(16),
  small(64),
  stream(streamName(1), { ...burst, inFlight: 1 }),
  stream(streamName(32), { ...burst, inFlight: 32 }),
  stream(streamName(256), { ...burst, inFlight: 256 }),
  stream(translatedName('chat'), { path: CHAT, model: onResponses('burst-200'), inFlight: 32 }, OURS),
  stream(translatedName('responses'), { path: RESPONSES, model: 'burst-200', inFlight: 32 }, OURS),
  paced,
];
