import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { flockFolder } from './flockFolder.js';

let root: string;
let path: string | undefined;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'sluice-flock-'));
  path = process.env.PATH;
});
afterEach(() => {
  process.env.PATH = path;
  rmSync(root, { recursive: true, force: true });
});

describe.runIf(process.platform === 'linux')('a folder without sockets', () => {
  it('is locked by the kernel, and leaves nothing behind', async () => {
    const unlock = await flockFolder(root);
    await expect(flockFolder(root)).rejects.toMatchObject({ code: 'SLUICE_FOLDER_LOCKED', holder: 'another process' });
    expect(readdirSync(root)).toEqual([]);
    await unlock();
    await (await flockFolder(root))();
  });

  it('is refused where the kernel cannot be asked, with what to do', async () => {
    process.env.PATH = root;
    await expect(flockFolder(root)).rejects.toMatchObject({
      code: 'SLUICE_FOLDER_UNLOCKABLE',
      message: expect.stringContaining('install util-linux, or choose a folder on a local disk'),
    });
  });
});
