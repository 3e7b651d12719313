/** The servers that people run models with on their own machine, and the ports that each comes with. */
import type { DiscoverySpec } from '../core/upstream-spec.ts';

export interface LocalServer {
  /** What its models' provider is called. */
  readonly provider: string;
  readonly port: number;
}

/** As each of their documentations says. */
export const LOCAL_SERVERS: readonly LocalServer[] = [
  { provider: 'ollama', port: 11_434 },
  { provider: 'lmstudio', port: 1_234 },
  { provider: 'llamacpp', port: 8_080 },
  { provider: 'vllm', port: 8_000 },
];

/** Loopback only, and without a key: there is nothing that a stranger on such a port could be told. */
export function lookAt(
  { provider, port }: LocalServer,
  bounds: Pick<DiscoverySpec, 'silenceMs' | 'eventBytesMax'>,
): DiscoverySpec {
  return {
    provider,
    baseUrl: `http://127.0.0.1:${port}/v1`,
    headers: {},
    dialect: 'chat',
    ...bounds,
  };
}
