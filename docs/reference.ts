/** `npm run docs`: writes the pages that are made of the program itself. A test fails where one is not up to date. */
import { writeFile } from 'node:fs/promises';
import { commandsPage } from './commands-page.ts';
import { configurationPage } from './configuration-page.ts';

const pages = { 'configuration.md': await configurationPage(), 'cli.md': commandsPage() };
for (const [name, text] of Object.entries(pages)) {
  await writeFile(new URL(name, import.meta.url), text);
  process.stdout.write(`docs/${name}\n`);
}
