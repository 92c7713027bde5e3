import { argv, stdout } from 'node:process';
import { asyncScheduler } from 'rxjs';
import { nodeDisk } from '../../src/disk/disk.js';
import { openSegmentLog } from '../../src/disk/log/segmentLog.js';
import { positionFormat } from '../support/positionFormat.js';

// Appends positions from an offset on until it is killed, removes every third, and says what is durable, one line each.
const [, , folder = '', from = '0'] = argv;
const log = await openSegmentLog({
  disk: nodeDisk,
  folder,
  format: positionFormat,
  segmentBytes: 2_000,
  maxEntryBytes: 1_000,
  scheduler: asyncScheduler,
  now: Date.now,
});
for (let offset = Number(from); ; offset += 4) {
  const offsets = [offset, offset + 1, offset + 2, offset + 3];
  const placed = await log.append(offsets.map((one) => ({ source: 's', offset: one })));
  stdout.write(offsets.map((one) => `+${one}\n`).join(''));
  const removed = placed.filter((_, i) => offsets[i]! % 3 === 0);
  stdout.write(removed.map(({ weight }) => `?${weight}\n`).join(''));
  await log.mark('-', removed);
  stdout.write(removed.map(({ weight }) => `-${weight}\n`).join(''));
}
