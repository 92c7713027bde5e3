import { lstat, readdir, readFile, readlink, stat } from 'node:fs/promises';

/**
 * Whether a process listens on a Linux abstract socket, and is of one of these users. What it says of itself proves nothing; the
 * kernel lists who has the socket.
 */
export async function listensAs(name: string, pid: number, users: ReadonlySet<number>): Promise<boolean> {
  try {
    const listed = `@${name.slice(1)}`;
    const sockets = (await readFile('/proc/net/unix', 'utf8')).split('\n').flatMap((line) => {
      // Num RefCount Protocol Flags Type St Inode Path
      const columns = line.split(/ +/);
      // NUL is listed as @, and older versions of Node fill a name up with them.
      return columns[7]?.replace(/(?<!@)@+$/, '') === listed ? `socket:[${columns[6]}]` : [];
    });
    const process = `/proc/${pid}`;
    if (!users.has((await stat(process)).uid)) return false;
    for (const fd of await readdir(`${process}/fd`)) {
      if (sockets.includes(await readlink(`${process}/fd/${fd}`).catch(() => ''))) return true;
    }
  } catch {
    // A process of another container, or of another user.
  }
  return false;
}

/** Whether a file belongs to one of these users. Root, who can read the letters of all, respects all. */
export async function belongsTo(users: ReadonlySet<number>, file: string): Promise<boolean> {
  if (process.getuid?.() === 0 || process.platform === 'win32') return true;
  return lstat(file).then(
    ({ uid }) => users.has(uid),
    () => true,
  );
}
