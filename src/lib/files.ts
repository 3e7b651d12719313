/** Files that hold secrets or state: private on disk, whole or not there at all. */
import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { chmod, type FileHandle, link, mkdir, open, rename, stat, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { errnoText, isErrno } from './errno.ts';

/** A file or directory that is not as it must be; the message names the mend. */
export class FileFault extends Error {
  override readonly name = 'FileFault';
}

const posix = process.platform !== 'win32';

/** Makes the directory with mode 0700, or checks that the one that is there is private. */
export async function privateDirectory(path: string): Promise<void> {
  const made = await makeDirectory(path);
  if (!posix) return;
  if (made !== undefined) await chmod(path, 0o700);
  const found = await stat(path);
  if (!found.isDirectory()) throw new FileFault(`${path} is not a directory`);
  checkOwner(path, found.uid);
  if ((found.mode & 0o077) !== 0) throw tooOpen(path, found.mode, '700');
}

async function makeDirectory(path: string): Promise<string | undefined> {
  try {
    return await mkdir(path, { recursive: true, mode: 0o700 });
  } catch (error) {
    if (isErrno(error, 'EEXIST')) throw new FileFault(`${path} is not a directory: move it away`);
    throw new FileFault(`the directory ${path} cannot be made${errnoText(error)}`);
  }
}

/** Reads a file that only its owner may read; anything else is refused as ssh refuses a key. */
export async function readPrivate(path: string, bytesMax: number): Promise<Buffer> {
  const file = await openOwn(path);
  try {
    const found = await file.stat();
    if (!found.isFile()) throw new FileFault(`${path} is not a file`);
    if (posix) {
      checkOwner(path, found.uid);
      if ((found.mode & 0o077) !== 0) throw tooOpen(path, found.mode, '600');
    }
    if (found.size > bytesMax)
      throw new FileFault(`${path} is ${found.size} bytes; at most ${bytesMax} are read`);
    return await file.readFile();
  } finally {
    await file.close();
  }
}

/** Replaces a file in one step, mode 0600: after a crash it holds the old content or the new, never half. */
export async function writePrivate(path: string, content: string | Uint8Array): Promise<void> {
  const temporary = await writeBeside(path, content);
  await orWithout(temporary, rename(temporary, path));
  await syncDirectory(dirname(path));
}

/** As `writePrivate`, but a file that is there already stays: the first of two who start at once wins. */
export async function createPrivate(
  path: string,
  content: string | Uint8Array,
): Promise<'created' | 'existed'> {
  const temporary = await writeBeside(path, content);
  try {
    await link(temporary, path);
  } catch (error) {
    if (isErrno(error, 'EEXIST')) return 'existed';
    throw error;
  } finally {
    await unlink(temporary);
  }
  await syncDirectory(dirname(path));
  return 'created';
}

async function openOwn(path: string): Promise<FileHandle> {
  try {
    return await open(path, constants.O_RDONLY | (posix ? constants.O_NOFOLLOW : 0));
  } catch (error) {
    if (isErrno(error, 'ELOOP')) throw new FileFault(`${path} is a symbolic link; put the file itself there`);
    throw error;
  }
}

async function writeBeside(path: string, content: string | Uint8Array): Promise<string> {
  const temporary = `${path}.${randomBytes(6).toString('hex')}.tmp`;
  const file = await open(temporary, 'wx', 0o600);
  await orWithout(temporary, fill(file, content));
  return temporary;
}

async function fill(file: FileHandle, content: string | Uint8Array): Promise<void> {
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** On a full disk what is left of each try would keep it full. */
async function orWithout(temporary: string, done: Promise<void>): Promise<void> {
  try {
    await done;
  } catch (error) {
    // Where it cannot even be deleted the first failure is still the one to tell.
    await unlink(temporary).catch(() => {});
    throw error;
  }
}

async function syncDirectory(path: string): Promise<void> {
  if (!posix) return;
  const directory = await open(path, constants.O_RDONLY);
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

function checkOwner(path: string, uid: number): void {
  const own = process.getuid?.();
  if (own !== undefined && uid !== own) {
    throw new FileFault(`${path} belongs to user ${uid}, not to you (${own}): chown it, or use another path`);
  }
}

function tooOpen(path: string, mode: number, wanted: string): FileFault {
  const octal = (mode & 0o777).toString(8);
  return new FileFault(`${path} can be read by others (mode ${octal}): run chmod ${wanted} ${path}`);
}
