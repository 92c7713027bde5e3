/**
 * How much memory ten million items take when the sink is ten times too slow.
 *
 * Method. First, a separate process moves two million bars through `writeCoordinator` with its default settings into a sink
 * that does not wait, which shows how fast the source could go. Then another process, started without flags, moves ten
 * million into a sink that takes a tenth of that rate. Every bar is a new object, so that what the pipeline releases becomes
 * garbage. Resident memory is read every 50 ms from outside the pipeline, which works because the source yields to the
 * event loop.
 *
 * `rssMb` is the peak resident memory of the whole process as the system reports it, including Node and its start.
 * `growthMb` is the highest minus the lowest sample after the first fifth of the items: a stricter measure than growth.
 * The maximum number of items emitted but not written is counted as well: it must stay at what buffer, lanes and writers hold.
 */
import type { StreamResult } from './memory/stream.js';
import { runInChild } from './report/child.js';
import { printTable, rounded } from './report/table.js';

const ITEMS = 10_000_000;
const CALIBRATION = 2_000_000;
const TOO_SLOW = 10;
const CHILD = new URL('./memory/stream.js', import.meta.url);

const free = await runInChild<StreamResult>(CHILD, [String(CALIBRATION), '0']);
const slow = await runInChild<StreamResult>(CHILD, [String(ITEMS), String(free.itemsPerSec / TOO_SLOW)]);

const thousands = (value: number) => Math.round(value).toLocaleString('en');
printTable(
  ['run', 'items', 'items/s', 'most held', 'peak MB', 'spread MB'],
  [['sink that does not wait', CALIBRATION, free] as const, ['sink ten times too slow', ITEMS, slow] as const].map(
    ([run, items, { itemsPerSec, mostHeld, peakRssMb, spreadMb }]) => [
      run,
      thousands(items),
      thousands(itemsPerSec),
      thousands(mostHeld),
      peakRssMb.toFixed(1),
      spreadMb.toFixed(1),
    ],
  ),
);
console.log(`resident MB, from start to end, at every tenth of the items: ${slow.samplesMb.join(' ')}`);
console.log(JSON.stringify({ rssMb: rounded(slow.peakRssMb, 1), growthMb: rounded(slow.spreadMb, 1) }));
