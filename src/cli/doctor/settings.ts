/** Whether the configuration is one that a daemon starts with. */
import { chmod } from 'node:fs/promises';
import { placeText } from '../../config/faults.ts';
import type { Warning } from '../../config/warning.ts';
import { type Case, type Finding, ok, problem, warning } from './finding.ts';

export async function checkSettings({ looked, fix, files }: Case): Promise<Finding[]> {
  const { configPath, found, faults, warnings } = looked;
  const untold = faults.filter(({ message }) => !files.some(({ what }) => message.startsWith(what)));
  const findings = untold.map(({ path, line, message }) => {
    const place = placeText({ path, line });
    return problem(
      place === '' ? message : `the configuration, ${place}: ${message}`,
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
  for (const one of warnings) findings.push(await warned(one, configPath, fix));
  return findings;
}

/** The start's own warnings. */
async function warned({ what, mend, tooOpen }: Warning, configPath: string, fix: boolean): Promise<Finding> {
  if (!fix || tooOpen === undefined) return warning(what, mend ?? `edit ${configPath}`);
  await chmod(tooOpen, PRIVATE_MODE);
  return ok(`mended: chmod ${PRIVATE_MODE.toString(8)} ${tooOpen}`);
}

const PRIVATE_MODE = 0o600;
