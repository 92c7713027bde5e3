import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { lockFolder } from './folderLock.js';

/** Called before each step that the lock takes in the file system. */
let beforeStep: (() => void) | undefined;

vi.mock('node:fs', async (original) => {
  const fs = await original<typeof import('node:fs')>();
  const stepped =
    <A extends unknown[], R>(step: (...args: A) => R) =>
    (...args: A): R => {
      beforeStep?.();
      return step(...args);
    };
  return {
    ...fs,
    linkSync: stepped(fs.linkSync),
    readFileSync: stepped(fs.readFileSync as (...args: unknown[]) => unknown),
    renameSync: stepped(fs.renameSync),
    rmSync: stepped(fs.rmSync),
    writeFileSync: stepped(fs.writeFileSync),
  };
});

/** The id of a process that is gone. */
const { pid: gone } = spawnSync('true');

let root: string;
let folder: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'sluice-lock-'));
  folder = join(root, 'store');
});
afterEach(() => {
  beforeStep = undefined;
  rmSync(root, { recursive: true, force: true });
});

const tryLock = () => {
  try {
    return lockFolder(folder);
  } catch (error) {
    expect(error).toMatchObject({ code: 'SLUICE_FOLDER_LOCKED' });
    return undefined;
  }
};

/** Two takers, the second of which does all that it does before the given step of the first. */
function race(step: number): { holders: (() => void)[]; reached: boolean } {
  const holders: (() => void)[] = [];
  let steps = 0;
  let reached = false;
  beforeStep = () => {
    steps += 1;
    if (steps !== step) return;
    beforeStep = undefined;
    reached = true;
    const second = tryLock();
    if (second) holders.push(second);
  };
  const first = tryLock();
  beforeStep = undefined;
  if (first) holders.push(first);
  return { holders, reached };
}

describe('lockFolder', () => {
  it.each([
    ['a free folder', undefined],
    ['the lock of a process that is gone', `${gone}\n`],
    ['a lock that is none', 'rubbish'],
    ['an empty lock', ''],
  ])('lets one of two in, at whatever step they meet: %s', (_, leftover) => {
    let step = 0;
    for (let reached = true; reached; ) {
      step += 1;
      if (leftover === undefined) rmSync(`${folder}.lock`, { force: true });
      else writeFileSync(`${folder}.lock`, leftover);
      const round = race(step);
      reached = round.reached;
      expect([step, round.holders.length]).toEqual([step, 1]);
      expect(tryLock()).toBeUndefined();
      for (const unlock of round.holders) unlock();
      expect(readdirSync(root)).toEqual([]);
    }
    expect(step).toBeGreaterThan(3);
  });

  it('writes the id of its process on the first line, and is free again once unlocked', () => {
    const unlock = lockFolder(folder);
    expect(readFileSync(`${folder}.lock`, 'utf8').split('\n')[0]).toBe(String(process.pid));
    expect(() => lockFolder(folder)).toThrow('in use by this process');
    unlock();
    unlock();
    expect(existsSync(`${folder}.lock`)).toBe(false);
    lockFolder(folder)();
  });

  it('leaves the lock of another alone that was put in the place of its own', () => {
    const unlock = lockFolder(folder);
    writeFileSync(`${folder}.lock`, `${process.ppid}\n`);
    unlock();
    expect(existsSync(`${folder}.lock`)).toBe(true);
    expect(() => lockFolder(folder)).toThrow(`in use by process ${process.ppid}`);
  });

  it('names the file to delete where a process was killed as it took over', () => {
    writeFileSync(`${folder}.lock`, `${gone}\n`);
    writeFileSync(`${folder}.lock.takeover`, `${gone}\n`);
    expect(() => lockFolder(folder)).toThrow(`delete ${folder}.lock.takeover`);
  });
});
