/** Whether the configuration is one that a daemon starts with. */
import { chmod } from 'node:fs/promises';
import { pathText } from '../../config/faults.ts';
import { type Case, type Finding, ok, problem, warning } from './finding.ts';

export async function checkSettings({ looked, fix, files }: Case): Promise<Finding[]> {
  const { configPath, found, faults, warnings } = looked;
  const untold = faults.filter(({ message }) => !files.some(({ what }) => message.startsWith(what)));
  const findings = untold.map(({ path, line, message }) => {
    const place = [line === undefined ? '' : `line ${line}`, pathText(path)].filter((text) => text !== '');
    return problem(
      place.length === 0 ? message : `the configuration, ${place.join(', ')}: ${message}`,
      line === undefined ? `see ${configPath}` : `edit ${configPath}, line ${line}`,
    );
  });
  if (faults.length === 0)
    findings.push(
      ok(
        found
          ? `the configuration ${configPath} is sound`
          : `nothing is configured (there is no ${configPath}), and that is enough to start`,
      ),
    );
  for (const text of warnings) findings.push(await warned(text, configPath, fix));
  return findings;
}

/** The start's own warnings, which say how to mend what they warn of behind a colon. */
async function warned(text: string, configPath: string, fix: boolean): Promise<Finding> {
  const at = text.search(MEND);
  if (at < 0) return warning(text, `edit ${configPath}`);
  const mend = text.slice(at + 2).replace(/^run /, '');
  if (fix && mend === `chmod 600 ${configPath}`) {
    await chmod(configPath, 0o600);
    return ok(`mended: ${mend}`);
  }
  return warning(text.slice(0, at), mend);
}

const MEND = /: (?=(?:run|give|add|set|write|list|remove|name|start|use|put|switch|check) )/;
