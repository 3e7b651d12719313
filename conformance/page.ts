/** The page that a reader sees: a row for each feature, a cell for each combination. The same cases make the same page. */
import type { Case, Dialect } from './case.ts';
import { isObject } from './difference.ts';

export interface Verdict {
  readonly case: Case;
  readonly faults: readonly string[];
}

const WAYS: readonly (readonly [Dialect, Dialect, boolean])[] = [
  ['chat', 'chat', true],
  ['chat', 'chat', false],
  ['chat', 'responses', true],
  ['chat', 'responses', false],
  ['responses', 'chat', true],
  ['responses', 'chat', false],
  ['responses', 'responses', true],
  ['responses', 'responses', false],
];

/** In this order; groups without a place of their own follow by name. */
const GROUPS = [
  'text',
  'reasoning',
  'tools',
  'refusals',
  'endings',
  'usage',
  'input',
  'parameters',
  'state',
  'server',
  'bytes',
  'errors',
];

export function conformancePage(verdicts: readonly Verdict[], judges: readonly string[]): string {
  const failed = verdicts.filter(({ faults }) => faults.length > 0);
  const groups = [...new Set(verdicts.map((one) => groupOf(one.case)))].sort(byPlace);
  return [
    '# Conformance',
    '',
    ...intro(verdicts.length, failed.length, judges),
    ...groups.flatMap((group) => section(group, verdicts)),
    ...notes(
      'What is refused',
      'With an error that names the parameter: what the API of the model cannot say without becoming another question, and what is wrong or not there.',
      verdicts.filter(({ case: one }) => isRefused(one)),
    ),
    ...notes(
      'What is left out',
      'A parameter that only steers. The header `x-clawmatrix-left-out` names it in the reply.',
      verdicts.filter(({ case: one }) => leftOut(one) !== undefined),
    ),
  ].join('\n');
}

function intro(cases: number, failed: number, judges: readonly string[]): readonly string[] {
  const all = failed === 0 ? `All ${cases} cases pass.` : `**${failed} of ${cases} cases fail.**`;
  return [
    'Made by `npm run conformance`: each case of `fixtures/conformance/` is played through two real daemons, with a scripted',
    'server behind the second one. The client must see the events that the case says, all of them and in order; the server',
    'must have got the request that it says; and the parsers of these libraries must hear in it what was said:',
    `${judges.join(', ')}.`,
    '',
    `${all} A column is a client's API, an arrow, and the API of the model's server. **S** is a stream, **W** a whole reply.`,
    '`ok`: passes. `ok*`: passes without a parameter that only steers, and says so. `400`: refused, with the reason. `FAILS`: does',
    'not pass. Empty: no case, as where an API has no such thing. What concerns the request alone is played in one of S and W.',
    '',
  ];
}

function section(group: string, verdicts: readonly Verdict[]): readonly string[] {
  const own = verdicts.filter((one) => groupOf(one.case) === group);
  const features = [...new Set(own.map((one) => featureOf(one.case)))].sort();
  return [
    `## ${group.slice(0, 1).toUpperCase()}${group.slice(1)}`,
    '',
    `| | ${WAYS.map(([client, upstream, stream]) => `${client}→${upstream} ${stream ? 'S' : 'W'}`).join(' | ')} |`,
    `|---|${WAYS.map(() => '---').join('|')}|`,
    ...features.map((feature) => {
      const row = own.filter((one) => featureOf(one.case) === feature);
      return `| ${feature} | ${WAYS.map((way) => cell(row.filter((one) => isWay(one.case, way)))).join(' | ')} |`;
    }),
    '',
  ];
}

function cell(verdicts: readonly Verdict[]): string {
  const words = verdicts.map(({ case: one, faults }) => {
    if (faults.length > 0) return 'FAILS';
    if (isRefused(one)) return '400';
    return leftOut(one) === undefined ? 'ok' : 'ok*';
  });
  return [...new Set(words)].sort().join(', ');
}

function notes(title: string, about: string, verdicts: readonly Verdict[]): readonly string[] {
  const lines = verdicts.map(({ case: one }) => {
    const what = isRefused(one) ? one.expect.error?.param : leftOut(one);
    const shown = typeof what === 'string' ? `\`${what}\`` : '';
    return `| ${featureOf(one)} | ${one.client}→${one.upstream} | ${shown} | ${one.about} |`;
  });
  const rows = [...new Set(lines)].sort();
  return [
    `## ${title}`,
    '',
    about,
    '',
    '| feature | from→to | parameter | why |',
    '|---|---|---|---|',
    ...rows,
    '',
  ];
}

function isWay(one: Case, [client, upstream, stream]: (typeof WAYS)[number]): boolean {
  return one.client === client && one.upstream === upstream && one.stream === stream;
}

/** By this program: mostly before anybody was asked, and where an answer cannot be told to this client. */
function isRefused({ expect, expectUpstream }: Case): boolean {
  if (!isObject(expect.error)) return false;
  return expectUpstream === 'nothing' || expect.error.code === 'unsupported_parameter';
}

function leftOut({ expect }: Case): string | undefined {
  return expect.headers['x-clawmatrix-left-out'] ?? undefined;
}

function groupOf({ feature }: Case): string {
  return feature.slice(0, feature.indexOf(':'));
}

function featureOf({ feature }: Case): string {
  return feature.slice(feature.indexOf(':') + 2);
}

function byPlace(one: string, other: string): number {
  const place = (group: string) => (GROUPS.includes(group) ? GROUPS.indexOf(group) : GROUPS.length);
  return place(one) - place(other) || one.localeCompare(other);
}
