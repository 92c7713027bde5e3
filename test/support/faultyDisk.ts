import { type Disk, type DiskFile, nodeDisk } from '../../src/disk/disk.js';
import { coded } from './errors.js';

/** A step that is about to be taken on a disk. */
export interface DiskStep {
  readonly kind: 'open' | 'write' | 'datasync' | 'truncate' | 'syncFolder' | 'makeFolder' | 'remove' | 'rename';
  readonly path: string;
}

export interface FaultyDisk extends Disk {
  /** All that was done to change the disk, in order, with failed steps. */
  readonly steps: DiskStep[];
  /** May throw, in the place of the step, or take only so many bytes of a write. */
  before: ((step: DiskStep) => number | undefined | Promise<number | undefined>) | undefined;
}

/** The real disk, on which steps may be made to fail. */
export function faultyDisk(): FaultyDisk {
  const steps: DiskStep[] = [];
  const take = async (step: DiskStep) => {
    steps.push(step);
    return disk.before?.(step);
  };
  const wrap = (file: DiskFile, path: string): DiskFile => ({
    read: (buffer, position) => file.read(buffer, position),
    async write(bytes, position) {
      const most = await take({ kind: 'write', path });
      return file.write(most === undefined ? bytes : bytes.subarray(0, most), position);
    },
    async truncate(size) {
      await take({ kind: 'truncate', path });
      return file.truncate(size);
    },
    async datasync() {
      await take({ kind: 'datasync', path });
      return file.datasync();
    },
    stat: () => file.stat(),
    close: () => file.close(),
  });
  const disk: FaultyDisk = {
    steps,
    before: undefined,
    async open(path, mode) {
      if (mode !== 'read') await take({ kind: 'open', path });
      return wrap(await nodeDisk.open(path, mode), path);
    },
    list: (folder) => nodeDisk.list(folder),
    async makeFolder(path) {
      await take({ kind: 'makeFolder', path });
      return nodeDisk.makeFolder(path);
    },
    async remove(path) {
      await take({ kind: 'remove', path });
      return nodeDisk.remove(path);
    },
    async rename(from, to) {
      await take({ kind: 'rename', path: to });
      return nodeDisk.rename(from, to);
    },
    async syncFolder(path) {
      await take({ kind: 'syncFolder', path });
      return nodeDisk.syncFolder(path);
    },
  };
  return disk;
}

export function diskError(code: string): Error {
  return coded(code, `${code}: the disk says so`);
}
