import { mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isFolderLockedError } from './folderLockedError.js';
import { lockForProcess } from './processLock.js';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'sluice-lock-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

describe('lockForProcess', () => {
  it('lets one in at a time, by whatever name, and says who has it', async () => {
    const link = join(root, 'link');
    const folder = mkdtempSync(join(root, 'folder-'));
    symlinkSync(folder, link);
    const unlock = await lockForProcess(folder);
    const second = lockForProcess(link);
    await expect(second).rejects.toMatchObject({
      code: 'SLUICE_FOLDER_LOCKED',
      pid: process.pid,
      holder: 'this process',
    });
    await second.catch((error: unknown) => expect(isFolderLockedError(error)).toBe(true));
    await unlock();
    await (await lockForProcess(link))();
    expect(readdirSync(folder)).toEqual([]);
  });

  it('lets one of many in who come at once', async () => {
    const attempts = await Promise.allSettled(Array.from({ length: 10 }, () => lockForProcess(root)));
    const locked = attempts.flatMap((attempt) => (attempt.status === 'fulfilled' ? [attempt.value] : []));
    expect(locked).toHaveLength(1);
    await locked[0]!();
  });

  it.runIf(process.platform === 'linux')('lets go also while somebody is connected who says nothing', async () => {
    const { statSync } = await import('node:fs');
    const unlock = await lockForProcess(root);
    const { dev, ino } = statSync(root);
    const socket = connect({ path: `\0sluice/folder/${dev}-${ino}`, allowHalfOpen: true });
    await new Promise((resolve) => socket.once('connect', resolve));
    await unlock();
    await (await lockForProcess(root))();
    socket.destroy();
  });
});
