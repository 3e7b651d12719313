/** docs/configuration.md, made of the schema: every key, what it may hold, what it is when left out, what it means. */
import JSON5 from 'json5';
import { z } from 'zod';
import { oneOf } from '../src/config/faults.ts';
import { member } from '../src/config/json-object.ts';
import { configSchema } from '../src/config/schema.ts';
import { EXAMPLES } from './examples.ts';

/** The part of JSON Schema that the configuration's own comes to. */
interface Node {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly string[];
  readonly anyOf?: readonly Node[];
  readonly items?: Node;
  readonly properties?: Readonly<Record<string, Node>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: Node | false;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly maxItems?: number;
  readonly maxLength?: number;
}

// JSON Schema is of one form wherever it nests, so that the outermost says enough.
const Root = z.object({ properties: z.record(z.string(), z.custom<Node>()) });

const schema = configSchema(async () => ({ ok: false, fault: '' }));

const INTRO = `# Configuration

<!-- Made by "npm run docs" from src/config/schema.ts and docs/examples.ts: edit those. -->

ClawMatrix reads one file: the one that \`--config PATH\` names, else \`$CLAWMATRIX_CONFIG\`, else \`clawmatrix.json\` in the
state directory (\`$CLAWMATRIX_HOME\`, by default \`~/.clawmatrix\`). It is JSON with comments and trailing commas. Without
any file the daemon starts too. \`clawmatrix init\` makes a first one, \`clawmatrix doctor\` looks it over, and
\`clawmatrix restart\` takes up what has changed; a restart with a faulty file leaves the daemon as it was.

- Every text may hold \`\${NAME}\`, an environment variable; \`$\${\` is a plain \`\${\`.
- A **secret** is written out, or \`{ "env": "NAME" }\`, or \`{ "file": "path" }\`. Such a file has mode 0600; a line break at
  its end does not count.
- A relative path starts where the file is that names it, and \`~/\` is your home directory.
- An unknown key is a fault, and the message names the nearest known one. All faults come in one list, with their lines.
`;

export async function configurationPage(): Promise<string> {
  const { properties } = Root.parse(z.toJSONSchema(schema, { io: 'input' }));
  const defaults = await schema.parseAsync({ listen: {}, openclaw: { gateway: {} } });
  const sections = Object.entries(properties).map(([key, node]) => section(key, node, defaults));
  const index = Object.entries(properties).map(([key, node]) =>
    row([`[\`${key}\`](#${key.toLowerCase()})`, typeOf(node), node.description ?? '']),
  );
  return [INTRO, tableOf(['key', 'holds', 'what it is'], index), ...sections].join('\n');
}

function section(key: string, node: Node, defaults: unknown): string {
  const fields = [...fieldsOf(node, '', member(defaults, key))];
  const rows = fields.map(({ path, node: field, required, value }) =>
    row([
      `\`${path}\``,
      typeOf(field),
      required ? 'required' : defaultText(field, value),
      field.description ?? '',
    ]),
  );
  const table = rows.length === 0 ? '' : `\n${tableOf(['key', 'holds', 'default', 'meaning'], rows)}`;
  const own = rows.length > 0 ? '' : defaultText(node, member(defaults, key));
  const holds = `Holds ${typeOf(node)}.${own === '' || own === '–' ? '' : ` Default: ${own}.`}`;
  const example = EXAMPLES[key];
  const shown = example === undefined ? '' : `\n\`\`\`jsonc\n${example.trim()}\n\`\`\`\n`;
  return `## ${key}\n\n${node.description ?? ''} ${holds}\n${table}${shown}`;
}

interface Field {
  readonly path: string;
  readonly node: Node;
  readonly required: boolean;
  /** What it is when it is left out. */
  readonly value: unknown;
}

/** The keys below a node: objects within it are written out with their path. */
function* fieldsOf(node: Node, path: string, value: unknown): Generator<Field> {
  const { object, at, inner } = objectIn(node, path, value);
  for (const [key, field] of Object.entries(object?.properties ?? {})) {
    const own = at === '' ? key : `${at}.${key}`;
    const found = member(inner, key);
    const below = isSecret(field) ? [] : [...fieldsOf(field, own, found)];
    const required = object?.required?.includes(key) === true;
    if (below.length === 0 || field.description !== undefined)
      yield { path: own, node: field, required, value: below.length > 0 ? undefined : found };
    yield* below;
  }
}

/** The object that a node is, or holds: of a list any entry, of a record any value. */
function objectIn(
  node: Node,
  path: string,
  value: unknown,
): { object: Node | undefined; at: string; inner: unknown } {
  const direct = node.properties === undefined ? node.anyOf?.find(({ properties }) => properties) : node;
  if (direct !== undefined) return { object: isSecret(node) ? undefined : direct, at: path, inner: value };
  const entry = node.items ?? (node.additionalProperties === false ? undefined : node.additionalProperties);
  if (entry === undefined || isSecret(entry)) return { object: undefined, at: path, inner: undefined };
  const mark = node.items === undefined ? `${path}${path === '' ? '' : '.'}NAME` : `${path}[]`;
  return objectIn(entry, mark, undefined);
}

function isSecret({ anyOf }: Node): boolean {
  return anyOf?.some(({ properties = {} }) => 'env' in properties && 'file' in properties) === true;
}

function typeOf(node: Node): string {
  if (isSecret(node)) return 'a secret';
  if (node.anyOf !== undefined) return oneOf([...new Set(node.anyOf.map(typeOf))]);
  if (node.enum !== undefined) return oneOf(node.enum.map((value) => `\`"${value}"\``));
  switch (node.type) {
    case 'boolean':
      return 'true or false';
    case 'integer':
      return `a whole number${rangeOf(node)}`;
    case 'number':
      return `a number${rangeOf(node)}`;
    case 'string':
      return node.maxLength === undefined ? 'text' : `text (${node.maxLength} letters at most)`;
    case 'array':
      return `a list of ${several(typeOf(node.items ?? {}))}${node.maxItems === undefined ? '' : ` (${node.maxItems} at most)`}`;
    default: {
      const { additionalProperties: value } = node;
      return value === undefined || value === false
        ? 'an object'
        : `an object: names, each with ${typeOf(value)}`;
    }
  }
}

const PLURALS: Readonly<Record<string, string>> = {
  'a secret': 'secrets',
  'an object': 'objects',
  text: 'texts',
};

function several(kind: string): string {
  return PLURALS[kind] ?? kind.replace('an object', 'objects').replace(/^text\b/, 'texts');
}

function rangeOf({ minimum, maximum }: Node): string {
  if (minimum === undefined || maximum === undefined || maximum === Number.MAX_SAFE_INTEGER) return '';
  return `, ${minimum} to ${maximum}`;
}

function defaultText(node: Node, value: unknown): string {
  const found = node.default ?? value;
  if (found === undefined || (typeof found === 'object' && found !== null && Object.keys(found).length === 0))
    return '–';
  return typeof found === 'object' ? '–' : `\`${JSON.stringify(found)}\``;
}

function tableOf(titles: readonly string[], rows: readonly string[]): string {
  return [row(titles), row(titles.map(() => '---')), ...rows, ''].join('\n');
}

function row(cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|').replaceAll('\n', ' ')).join(' | ')} |`;
}

/** An example as the value that it is in the file. */
export function exampleValue(text: string): unknown {
  return JSON5.parse(`{${text}\n}`);
}
