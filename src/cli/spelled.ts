/** How a command for the same node is typed: without the options that chose it, another node would be meant. */
import type { Wishes } from '../config/paths.ts';

export function spelled({ home, configPath }: Omit<Wishes, 'env'>, command: string): string {
  const words = ['clawmatrix'];
  if (home !== undefined) words.push('--home', oneWord(home));
  if (configPath !== undefined) words.push('--config', oneWord(configPath));
  return [...words, command].join(' ');
}

/** As a shell takes it for one word, whatever is in it. */
function oneWord(path: string): string {
  return /^[\w./~@%+:,=-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}
