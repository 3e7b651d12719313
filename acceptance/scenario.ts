/** One thing that an agent does through two daemons, and what has to come of it. */
import type { SeenRequest } from '../test/support/scripted-upstream.ts';
import type { TwoNodes } from '../test/support/two-nodes.ts';
import type { WireTap } from '../test/support/wire-tap.ts';
import type { Agents } from './install.ts';
import type { Ended } from './program.ts';

export interface Stage {
  readonly agents: Agents;
  readonly nodes: TwoNodes;
  /** Alpha's proxy, with `/v1`, over the tap. */
  readonly url: string;
  /** What runs between the agent and alpha. */
  readonly tap: WireTap;
  /** An empty folder of the scenario's own: home of the program, and where it works. */
  readonly folder: string;
}

export interface Scenario {
  readonly name: string;
  /** Throws where something is not as it has to be; the message is the row of the table. */
  readonly run: (stage: Stage) => Promise<string>;
}

/** What the shell of the agent has to say, and nobody else can: it is computed. */
export const SHELL_COMMAND = 'echo claw-$((40+2))-matrix';
export const SHELL_OUTPUT = 'claw-42-matrix';

export function check(condition: boolean, otherwise: string): asserts condition {
  if (!condition) throw new Error(otherwise);
}

export function checkEnded({ code, stdout, stderr }: Ended, text: string): void {
  const seen = `${stdout.slice(-1_500)}\n${stderr.slice(-1_500)}`;
  check(code === 0, `it ended with ${code}:\n${seen}`);
  check(stdout.includes(text), `no "${text}" in what it printed:\n${seen}`);
}

/** The output of the shell is there as the result of a call that is in the same request, in the upstream's dialect. */
export function checkToolResult(requests: readonly SeenRequest[]): void {
  const request = requests.findLast(({ body }) => body.includes(SHELL_OUTPUT));
  check(request !== undefined, 'the output of the shell never came to the upstream');
  const { messages, input } = Object(request.json());
  const said: readonly unknown[] = messages ?? input ?? [];
  const result = said.map((one) => Object(one)).find((one) => isResult(one));
  check(result !== undefined, `no result of a tool in the request: ${request.body.toString().slice(-1_500)}`);
  const id: unknown = result.tool_call_id ?? result.call_id;
  const isCalled = said.some((one) => callIds(Object(one)).includes(id));
  check(isCalled, `the result is of ${String(id)}, which nobody called`);
}

function isResult({ role, type, content, output }: Readonly<Record<string, unknown>>): boolean {
  const isTool = role === 'tool' || type === 'function_call_output' || type === 'custom_tool_call_output';
  return isTool && JSON.stringify(content ?? output).includes(SHELL_OUTPUT);
}

function callIds({ type, call_id, tool_calls }: Readonly<Record<string, unknown>>): readonly unknown[] {
  if (type === 'function_call' || type === 'custom_tool_call') return [call_id];
  return Array.isArray(tool_calls) ? tool_calls.map((call: unknown) => Object(call).id) : [];
}
