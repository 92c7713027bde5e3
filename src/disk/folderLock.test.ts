import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { lockFolder } from './folderLock.js';
import { isFolderLockedError } from './folderLockedError.js';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'sluice-lock-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

describe('lockFolder', () => {
  it('lets one in at a time, by whatever name, says who has it, and leaves nothing behind', async () => {
    const link = join(root, 'link');
    const folder = mkdtempSync(join(root, 'folder-'));
    symlinkSync(folder, link);
    const unlock = await lockFolder(folder);
    const second = lockFolder(link);
    await expect(second).rejects.toMatchObject({
      code: 'SLUICE_FOLDER_LOCKED',
      pid: process.pid,
      holder: 'this process',
    });
    await second.catch((error: unknown) => expect(isFolderLockedError(error)).toBe(true));
    await unlock();
    await (await lockFolder(link))();
    expect(readdirSync(folder)).toEqual([]);
  });

  it('lets in one of many that come at once', async () => {
    for (let round = 0; round < 20; round += 1) {
      const attempts = await Promise.allSettled(Array.from({ length: 10 }, () => lockFolder(root)));
      const locked = attempts.flatMap((attempt) => (attempt.status === 'fulfilled' ? [attempt.value] : []));
      expect(locked).toHaveLength(1);
      await locked[0]!();
    }
  });

  it.runIf(process.platform === 'linux')('unlocks also while a peer is connected that says nothing', async () => {
    const unlock = await lockFolder(root);
    const { dev, ino } = statSync(root);
    const sockets = [`\0sluice/folder/${dev}-${ino}`, join(root, readdirSync(root)[0]!)].map((path) =>
      connect({ path, allowHalfOpen: true }),
    );
    await Promise.all(sockets.map((socket) => new Promise((resolve) => socket.once('connect', resolve))));
    await unlock();
    await (await lockFolder(root))();
    for (const socket of sockets) socket.destroy();
  });

  it('locks a folder whose path is longer than that of a socket may be', async () => {
    const folder = join(root, ...Array.from({ length: 10 }, () => 'quite-a-long-name'));
    mkdirSync(folder, { recursive: true });
    const unlock = await lockFolder(folder);
    expect(readdirSync(folder)).toHaveLength(1);
    await expect(lockFolder(folder)).rejects.toThrow('in use by this process');
    await unlock();
    expect(readdirSync(folder)).toEqual([]);
  });

  it('is not impressed by files that look like those of former locks', async () => {
    writeFileSync(join(root, '.lock'), `${process.ppid}\n`);
    writeFileSync(`${root}.lock`, `${process.ppid}\n`);
    writeFileSync(join(root, '.lock-0f.new'), '');
    const unlock = await lockFolder(root);
    await unlock();
    expect(readdirSync(root)).toEqual(['.lock']);
    rmSync(`${root}.lock`);
  });

  describe.runIf(process.platform === 'linux')(
    "is not kept out by what squats on the machine's name of a folder",
    () => {
      const answers: [string, string][] = [
        ['says nothing', '() => {}'],
        ['hangs up', '(socket) => socket.destroy()'],
        ['claims to be another process', `(socket) => socket.end('${process.pid} somewhere key holds\\n')`],
        ['goes on and on', `(socket) => { for (;;) if (!socket.write('x'.repeat(1 << 16))) break; }`],
      ];
      it.each(answers)('and %s', async (_, listener) => {
        const { dev, ino } = statSync(root);
        const code = `require('node:net').createServer({ allowHalfOpen: true }, ${listener})
        .on('error', () => {}).listen({ path: '\\0sluice/folder/${dev}-${ino}' }, () => console.log('there'));
        process.on('uncaughtException', () => {});`;
        const squatter = spawn(process.execPath, ['-e', code], { stdio: ['ignore', 'pipe', 'inherit'] });
        await once(squatter.stdout, 'data');
        try {
          const unlock = await lockFolder(root);
          // The socket in the folder, which the squatter cannot make, keeps others out.
          await expect(lockFolder(root)).rejects.toThrow('in use by this process');
          await unlock();
        } finally {
          squatter.kill('SIGKILL');
          await once(squatter, 'exit');
        }
      });
    },
  );

  it.runIf(process.platform === 'linux' && process.getuid?.() === 0)(
    'is kept out by a process of a user that may hold the folder, and by no other',
    async () => {
      chmodSync(root, 0o755);
      const { dev, ino } = statSync(root);
      const squat = (uid: number) => {
        const code = `require('node:net').createServer((socket) => socket.end(process.pid + ' h k holds\\n'))
          .listen({ path: '\\0sluice/folder/${dev}-${ino}' }, () => console.log('there'));`;
        return spawn(process.execPath, ['-e', code], { stdio: ['ignore', 'pipe', 'inherit'], uid, cwd: '/' });
      };
      for (const [uid, isHolder] of [
        [65_534, false],
        [0, true],
      ] as const) {
        const other = squat(uid);
        await once(other.stdout!, 'data');
        if (isHolder) await expect(lockFolder(root)).rejects.toThrow(`process ${other.pid}`);
        else await (await lockFolder(root))();
        other.kill('SIGKILL');
        await once(other, 'exit');
      }
    },
  );
});
