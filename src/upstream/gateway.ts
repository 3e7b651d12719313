/** The OpenClaw gateway as an upstream: how it is told which model is meant, and how what it refuses is mended. */
import { ClawError } from '../core/errors.ts';
import type { GatewaySpec, UpstreamSpec } from '../core/upstream-spec.ts';

/** An agent is asked for by the body's `model`; this names the model that it is to use. */
export function gatewayHeaders({ card: { provider, id }, gateway }: UpstreamSpec): Record<string, string> {
  return gateway === undefined ? {} : { 'x-openclaw-model': `${provider}/${id}` };
}

/** What to do about a refusal of the gateway. `said` is its own text. */
export function gatewayAdvice(
  status: number,
  said: string,
  { node, gateway: { agent } }: { readonly node: string; readonly gateway: GatewaySpec },
): string | undefined {
  switch (status) {
    case 400:
      if (/x-openclaw-model|not allowed|model override/i.test(said))
        return (
          `OpenClaw does not let ${agent} use this model: its name there must be the same, provider and all, ` +
          'and agents.defaults.modelPolicy.allow must not leave it out'
        );
      if (/invalid\W+model/i.test(said))
        return `OpenClaw has no agent ${agent}: correct "openclaw.gateway.agent" on node ${node}`;
      return undefined;
    case 401:
    case 403:
      return (
        `check "openclaw.gateway.token" (or OPENCLAW_GATEWAY_TOKEN) on node ${node}: it is the token or password ` +
        'of the OpenClaw gateway; your own key is not at fault'
      );
    case 404:
    case 405:
      return (
        'the HTTP endpoint of the OpenClaw gateway is off: set gateway.http.endpoints.chatCompletions.enabled ' +
        `to true in openclaw.json on node ${node}`
      );
    case 429:
      return `wait: it may be that the OpenClaw gateway was sent wrong tokens; check "openclaw.gateway.token" on node ${node}`;
    default:
      return undefined;
  }
}

/** No reply came: the same error, and how to have one. */
export function unanswered(error: unknown): unknown {
  if (!(error instanceof ClawError) || error.code !== 'upstream_unreachable') return error;
  const mend =
    'it is the OpenClaw gateway: "openclaw gateway status" says whether it runs, ' +
    '"openclaw.gateway.url" is where it is looked for';
  return new ClawError(error.code, `${error.message}; ${mend}`, { cause: error });
}
