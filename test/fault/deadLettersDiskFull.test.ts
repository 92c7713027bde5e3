import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { lastValueFrom } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openDeadLetters, readDeadLetters, replayDeadLetters } from '../../src/dead-letters/index.js';
import { memorySink } from '../../src/sinks/memorySink.js';
import { diskError, faultyDisk } from '../support/faultyDisk.js';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'sluice-full-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const LETTERS = 60;

/** Appends until the disk is full and beyond, makes room, and sees that every letter is there once. */
async function fillAndMakeRoom(folder: string, makeRoom: () => void, disk = faultyDisk()): Promise<void> {
  let held = 0;
  const onHold = () => {
    held += 1;
    // Letters are held by now; a read meanwhile sees whole ones only.
    setImmediate(makeRoom);
  };
  const queue = await openDeadLetters<{ n: number; pad: string }>(folder, {
    pipeline: 'full',
    disk,
    onHold,
    segmentBytes: 100_000,
  });
  try {
    const appends = Array.from({ length: LETTERS }, (_, n) => {
      const letter = {
        items: [{ n, pad: 'x'.repeat(10_000) }],
        stage: 's',
        reason: 'drain',
        error: undefined,
        attempts: 0,
      };
      return lastValueFrom(queue.append(letter), { defaultValue: undefined });
    });
    await Promise.all(appends);
    expect(held).toBeGreaterThan(0);
    const numbers: number[] = [];
    for await (const { items } of readDeadLetters<{ n: number }>(folder)) numbers.push(items[0]!.n);
    expect(numbers).toEqual(Array.from({ length: LETTERS }, (_, n) => n));
    const sink = memorySink<{ n: number; pad: string }>();
    await lastValueFrom(replayDeadLetters(queue, { sink }));
    expect(sink.items).toHaveLength(LETTERS);
    expect(queue.stats()).toMatchObject({ open: { letters: 0, items: 0 }, quarantined: 0 });
  } finally {
    await queue.close();
  }
}

const mounted = mountSmall(mkdtempSync(join(tmpdir(), 'sluice-probe-')));
if (mounted) spawnSync('umount', [mounted]);

describe('a full disk', () => {
  it('that takes only a part of a letter, as injected, is waited for', async () => {
    const disk = faultyDisk();
    let room = 150_000;
    disk.before = ({ kind }) => {
      if (kind !== 'write') return undefined;
      if (room === 0) throw diskError('ENOSPC');
      const most = Math.min(room, 40_000);
      room -= most;
      return most;
    };
    const makeRoom = () => {
      room = 10_000_000;
    };
    await fillAndMakeRoom(join(root, 'dlq'), makeRoom, disk);
  });

  it.runIf(mounted)('of 256 KiB, a real one where mounting is permitted, is waited for', async () => {
    const mount = mountSmall(root);
    expect(mount).toBe(root);
    try {
      const ballast = join(root, 'ballast');
      writeFileSync(ballast, Buffer.alloc(64 << 10));
      const makeRoom = () => {
        spawnSync('mount', ['-o', 'remount,size=4m', root]);
      };
      await fillAndMakeRoom(join(root, 'dlq'), makeRoom);
    } finally {
      spawnSync('umount', ['-l', root]);
    }
  });
});

describe('a folder that is there and may not be written to', () => {
  const refusal = (reason: string) => ({
    code: 'SLUICE_DEAD_LETTERS_FOLDER',
    message: `cannot keep dead letters in ${join(root, 'dlq')}: ${reason}, or choose another folder`,
  });

  it.runIf(process.getuid?.() !== 0)('is refused before anything is given up', async () => {
    mkdirSync(join(root, 'dlq'), { mode: 0o500 });
    try {
      await expect(openDeadLetters(join(root, 'dlq'), { pipeline: 'p' })).rejects.toMatchObject(
        refusal('permission denied; grant this user access'),
      );
    } finally {
      chmodSync(join(root, 'dlq'), 0o700);
    }
  });

  it.runIf(mounted)('is refused on a disk that is read-only, and its letters can be read', async () => {
    expect(mountSmall(root)).toBe(root);
    try {
      const queue = await openDeadLetters<number>(join(root, 'dlq'), { pipeline: 'p' });
      const letter = { items: [1], stage: 's', reason: 'drain', error: undefined, attempts: 0 };
      await lastValueFrom(queue.append(letter), { defaultValue: undefined });
      await queue.close();
      spawnSync('mount', ['-o', 'remount,ro', root]);
      await expect(openDeadLetters(join(root, 'dlq'), { pipeline: 'p' })).rejects.toMatchObject(
        refusal('its file system is read-only; mount it writable'),
      );
      const items: unknown[] = [];
      for await (const one of readDeadLetters(join(root, 'dlq'))) items.push(...one.items);
      expect(items).toEqual([1]);
    } finally {
      spawnSync('umount', ['-l', root]);
    }
  });
});

/** Mounts a disk of 256 KiB, where that is permitted; returns where. */
function mountSmall(folder: string): string | undefined {
  const { status } = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'tmpfs', folder]);
  return status === 0 ? folder : undefined;
}
