/** docs/cli.md, made of the command line's own help. */
import { EXIT_HELP } from '../src/cli/exit.ts';
import { commandLine } from '../src/cli/program.ts';
import type { World } from '../src/cli/world.ts';
import { DRAIN_MS, PROBE_MS } from '../src/core/limits.ts';
import { SystemClock } from '../src/lib/clock.ts';

const INTRO = `# The command line

<!-- Made by "npm run docs" from src/cli: edit that. -->

Answers go to standard output, everything else to standard error: an error is one line, \`clawmatrix: …\`, that says how to
mend it (faults of a configuration are a list below it), and nothing but what was there before it is on standard output.
Colour is for a terminal; \`NO_COLOR\` switches it off. \`--json\` is for
programs: \`peers\` and \`models\` are arrays, \`status\` is an object, \`doctor\` an array of \`{ level, what, fix }\`. With
\`--watch --json\` each line is one document, written when something has changed.

\`--home\` and \`--config\` choose the node, before the command or behind it.
`;

const RESTART = `
\`restart\` reads and checks the configuration first. With faults in it the daemon goes on with the old one and the
command lists them, with exit code 2. Else no new calls are taken, running ones have ${DRAIN_MS / 1_000} s to end, and the daemon starts
anew in the same process: the terminal or service manager that holds it sees no end. For a new version of the program
stop and start it.
`;

const CHAT = `
\`\`\`sh
clawmatrix chat qwen3:8b 'Why is the sky blue?'
git diff | clawmatrix chat studio/qwen3:8b 'Write a commit message for this:'
clawmatrix chat gpt-5 --system 'Answer in one word.' --json < question.txt | jq -r '.choices[0].message.content'
\`\`\`

The answer is written as it comes. On a terminal what the model thinks is dim and stands before it, and a line on standard
error says where the answer came from; into a pipe goes the answer alone. A tool call is one line, \`[tool call] name(…)\`.
Standard input that is no terminal is read to its end: a script that has none for it writes \`</dev/null\`. Ctrl-C closes
the connection, so that the model stops. An answer that breaks off is written as far as it came, and the exit code is 5.
`;

const DOCTOR = `
\`doctor\` needs no daemon, and changes nothing but what \`--fix\` says. It connects to the servers and peers of the
configuration, each for ${PROBE_MS / 1_000} s at most, and sends each server its own key and nobody else's. No secret is ever printed.
`;

const MORE: Readonly<Record<string, string>> = { restart: RESTART, chat: CHAT, doctor: DOCTOR };

export function commandsPage(): string {
  const program = commandLine(onPaper(), () => {});
  const commands = program.commands.map(
    (command) =>
      `## ${command.name()}\n\n${helpBlock(command.helpInformation())}${MORE[command.name()] ?? ''}`,
  );
  const codes = EXIT_HELP.trim().split('\n').slice(1);
  const rows = codes
    .map((line) => /^ +(\d+) +(.*)$/.exec(line))
    .map((found) => `| ${found?.[1]} | ${found?.[2]} |`);
  const exit = ['## Exit codes', '', '| code | means |', '| --- | --- |', ...rows, ''].join('\n');
  return [INTRO, helpBlock(program.helpInformation()), ...commands, exit].join('\n');
}

function helpBlock(help: string): string {
  return `\`\`\`\n${help.trim()}\n\`\`\`\n`;
}

/** Nothing runs: only the width of the page counts. */
function onPaper(): World {
  const page = { columns: 100, rows: undefined, write: () => {}, ready: async () => {} };
  const nothing = () => Promise.reject(new Error('nothing runs on paper'));
  return {
    env: {},
    out: page,
    err: page,
    clock: new SystemClock(),
    inputIsTerminal: false,
    readInput: nothing,
    startDaemon: nothing,
    onSignal: () => () => {},
    exitNow: () => {},
  };
}
