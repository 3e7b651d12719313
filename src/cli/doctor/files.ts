/** Whether the state directory and what is in it belong to this user alone. */
import { chmod, lstat } from 'node:fs/promises';
import type { Home } from '../../config/paths.ts';
import { SOCKET_PATH_BYTES_MAX } from '../../core/limits.ts';
import { isErrno } from '../../lib/errno.ts';
import { codeOf, type Finding, ok, problem, warning } from './finding.ts';

export interface FilesCase {
  readonly home: Home;
  readonly configPath: string;
  readonly fix: boolean;
  readonly typed: (command: string) => string;
}

interface Rule {
  readonly path: string;
  readonly is: 'directory' | 'file';
  /** Bits that must not be set. */
  readonly closed: number;
  readonly mode: number;
}

const posix = process.platform !== 'win32';

export async function checkFiles({ home, configPath, fix, typed }: FilesCase): Promise<Finding[]> {
  const found = await ruled({ path: home.path, is: 'directory', closed: 0o077, mode: 0o700 }, fix);
  if (found === 'absent')
    return [warning(`there is no state directory yet at ${home.path}`, typed('init')), ...path(home)];
  const rules: Rule[] = [home.identity, home.networkKey, home.bootEpoch].map((path) => ({
    path,
    is: 'file',
    closed: 0o077,
    mode: 0o600,
  }));
  // What it holds decides who may read it; nobody else may ever write it.
  rules.push({ path: configPath, is: 'file', closed: 0o022, mode: 0o600 });
  const findings = [found, ...(await Promise.all(rules.map((rule) => ruled(rule, fix))))];
  const wrong = findings.filter((finding) => typeof finding === 'object');
  const kept = findings.filter((finding) => finding === 'kept').length - (found === 'kept' ? 1 : 0);
  const files = kept === 1 ? '1 file' : `${kept} files`;
  const said = `the state directory ${home.path} and ${files} in use are yours alone`;
  return [...(wrong.length === 0 ? [ok(said)] : wrong), ...path(home)];
}

/** How it stands with a rule, or what is to be said of it. */
async function ruled(rule: Rule, fix: boolean): Promise<Finding | 'kept' | 'absent'> {
  const { path, is, closed, mode } = rule;
  try {
    const found = await lstat(path);
    if (is === 'directory' ? !isDirectory(found) : !found.isFile() && !found.isSymbolicLink())
      return problem(`${path} is no ${is}`, `move it away; "clawmatrix init" makes a new one`);
    if (!posix) return 'kept';
    const own = process.getuid?.();
    if (own !== undefined && found.uid !== own)
      return problem(`${path} belongs to user ${found.uid}, not to you (${own})`, `chown ${own} ${path}`);
    if (found.isSymbolicLink() || (found.mode & closed) === 0) return 'kept';
    if (!fix) return tooOpen(rule, found.mode);
    await chmod(path, mode);
    return ok(`mended: chmod ${mode.toString(8)} ${path}`);
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return 'absent';
    return problem(
      `${path} cannot be looked at (${codeOf(error)})`,
      'check the permissions of the directories above it',
    );
  }
}

function isDirectory(found: { isDirectory(): boolean; isSymbolicLink(): boolean }): boolean {
  return found.isDirectory() || found.isSymbolicLink();
}

function tooOpen({ path, closed, mode }: Rule, found: number): Finding {
  const what = (closed & 0o044) === 0 ? 'written' : 'read';
  return problem(
    `${path} can be ${what} by others (mode ${(found & 0o777).toString(8)})`,
    `chmod ${mode.toString(8)} ${path} (or clawmatrix doctor --fix)`,
  );
}

/** A socket's path is short, and a home deep in a tree is not. */
function path({ control }: Home): Finding[] {
  const bytes = Buffer.byteLength(control);
  if (!posix || bytes <= SOCKET_PATH_BYTES_MAX) return [];
  return [
    problem(
      `the control socket's path has ${bytes} bytes, and a socket's path can have ${SOCKET_PATH_BYTES_MAX}: ${control}`,
      'set CLAWMATRIX_HOME to a shorter path',
    ),
  ];
}
