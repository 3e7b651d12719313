/** The model of the acceptance run: it calls one tool of the agent, and says the final text when it has the result. */
import type { ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { chatEvents, dataEvent, namedEvent, responsesEvents } from '../test/support/openai-bodies.ts';
import { answers, type Script, type SeenRequest } from '../test/support/scripted-upstream.ts';
import { SHELL_COMMAND } from './scenario.ts';

/** What it says at last. */
export const FINAL = 'All is well.';

/** A tool as it is offered to the upstream, in the words of either dialect. */
interface Offered {
  readonly name: string;
  readonly parameters: string;
}

interface Wanted {
  /** Which of the tools. */
  readonly tool: RegExp;
  readonly argumentsFor: (tool: Offered) => object;
  /** What it thinks before. */
  readonly reasoning?: readonly string[];
}

const CALL_ID = 'call_acceptance';

/** It calls that tool once, whatever comes of it. */
export function calls({ tool, argumentsFor, reasoning }: Wanted): Script {
  return (response, request) => {
    const found = offered(request.json()).find(({ name }) => tool.test(name));
    const isBack = request.body.includes(CALL_ID);
    if (isBack) return answers({ text: [FINAL] })(response, request);
    // An agent asks for a title too, without any tool.
    if (found === undefined) return answers({ text: ['A title'] })(response, request);
    const call = { id: CALL_ID, name: found.name, arguments: JSON.stringify(argumentsFor(found)) };
    answers({ toolCalls: [call], ...(reasoning && { reasoning }) })(response, request);
  };
}

/** The shell of an agent, under each of the names that agents have for it and for its command line. */
export function callsShell(reasoning?: readonly string[]): Script {
  return calls({
    tool: /(^|_)(exec_command|shell_command|shell|bash)$/,
    argumentsFor: ({ parameters }) =>
      parameters.includes('"cmd"')
        ? { cmd: SHELL_COMMAND }
        : { command: SHELL_COMMAND, description: 'Says it' },
    ...(reasoning && { reasoning }),
  });
}

function offered(body: unknown): readonly Offered[] {
  const { tools } = Object(body);
  if (!Array.isArray(tools)) return [];
  return tools.map((tool: unknown) => {
    const { name, parameters } = Object(tool).function ?? Object(tool);
    return { name: String(name), parameters: JSON.stringify(parameters ?? {}) };
  });
}

/** Nothing for so long before the first byte, and again in the midst of the text. */
export function saysSlowly(silentMs: number): Script {
  const play = async (response: ServerResponse, request: SeenRequest): Promise<void> => {
    const events = eventsFor(request, FINAL);
    await sleep(silentMs);
    response.writeHead(200, { 'content-type': 'text/event-stream' }).write(events.slice(0, BEGUN).join(''));
    await sleep(silentMs);
    response.end(events.slice(BEGUN).join(''));
  };
  return (response, request) => void play(response, request);
}

/** Some text, and then word that the server broke. */
export function breaks(message: string): Script {
  return (response, request) => {
    const broken = request.url.endsWith('/responses')
      ? namedEvent(Object.assign({ type: 'error' }, { code: 'oom', message, param: null }))
      : dataEvent({ error: { message, type: 'server_error', param: null, code: 'oom' } });
    const begun = eventsFor(request, 'Half of it').slice(0, BEGUN).join('');
    response.writeHead(200, { 'content-type': 'text/event-stream' }).end(begun + broken);
  };
}

/** Events of a stream before its text is whole, in either dialect. */
const BEGUN = 2;

function eventsFor({ url }: SeenRequest, text: string): readonly string[] {
  return (url.endsWith('/responses') ? responsesEvents : chatEvents)({ text: [text] });
}
