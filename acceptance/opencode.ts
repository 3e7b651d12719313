/** opencode, with the provider packages that it has in itself: one for each dialect. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { MODELS } from '../test/support/two-nodes.ts';
import { callsShell, FINAL } from './model.ts';
import { runProgram } from './program.ts';
import { check, checkEnded, checkToolResult, type Scenario, type Stage } from './scenario.ts';

const PROVIDERS = { chat: '@ai-sdk/openai-compatible', responses: '@ai-sdk/openai' } as const;
const PATHS = { chat: 'POST /v1/chat/completions', responses: 'POST /v1/responses' } as const;

type Dialect = keyof typeof PROVIDERS;

function tool(client: Dialect, upstream: Dialect): Scenario {
  return {
    name: `opencode-${client}-${upstream}`,
    async run(stage) {
      stage.nodes.upstream.always(callsShell());
      const file = join(stage.folder, 'opencode.json');
      await writeFile(file, JSON.stringify(config(stage, client, MODELS[upstream])));
      const args = ['run', '--model', `claw/${MODELS[upstream]}`, 'Say it.'];
      const ended = await runProgram(stage.agents.opencode, args, stage.folder, {
        OPENCODE_CONFIG: file,
        OPENCODE_DISABLE_MODELS_FETCH: '1',
        OPENCODE_DISABLE_AUTOUPDATE: '1',
        OPENCODE_DISABLE_DEFAULT_PLUGINS: '1',
      });
      checkEnded(ended, FINAL);
      checkToolResult(stage.nodes.upstream.requests);
      check(stage.tap.sent().includes(PATHS[client]), `it did not call ${PATHS[client]}`);
      return 'its shell ran, the output came back';
    },
  };
}

function config({ url }: Stage, client: Dialect, model: string): object {
  const options = { baseURL: url, apiKey: 'any' };
  return {
    autoupdate: false,
    share: 'disabled',
    permission: { bash: 'allow' },
    provider: { claw: { npm: PROVIDERS[client], options, models: { [model]: { tool_call: true } } } },
  };
}

const DIALECTS: readonly Dialect[] = ['chat', 'responses'];

export const opencodeScenarios: readonly Scenario[] = DIALECTS.flatMap((client) =>
  DIALECTS.map((upstream) => tool(client, upstream)),
);
