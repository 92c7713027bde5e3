/**
 * Items go out of a chain at the pace of whoever takes them: a `for await` loop that waits for each, and a stream that is
 * compressed into a file. The gate is their queue: the source, which could make millions a second, never runs far ahead.
 *
 * Run it: npm run example -- ways-out
 */
import { createReadStream, createWriteStream, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { setTimeout as wait } from 'node:timers/promises';
import { createGzip } from 'node:zlib';
import { map, tap } from 'rxjs';
import { toAsyncIterable, toReadable } from 'sluice/sinks';
import { synthetic } from 'sluice/sources';

let emitted = 0;
const bars$ = synthetic({ symbols: 10, count: 1_000_000, seed: 7 }).pipe(
  tap(() => {
    emitted += 1;
  }),
);

let taken = 0;
for await (const bar of toAsyncIterable(bars$)) {
  taken += 1;
  await wait(1);
  if (taken % 100 === 0) console.log(`${taken} taken, ${emitted} emitted, the last of ${bar.symbol}`);
  // Leaving the loop releases the source.
  if (taken === 300) break;
}

const folder = mkdtempSync(join(tmpdir(), 'sluice-example-'));
try {
  const file = join(folder, 'bars.ndjson.gz');
  const lines$ = synthetic({ symbols: 10, count: 20_000, seed: 7 }).pipe(map((bar) => `${JSON.stringify(bar)}\n`));
  await pipeline(toReadable(lines$, { objectMode: false }), createGzip(), createWriteStream(file));
  let bytes = 0;
  for await (const chunk of createReadStream(file)) bytes += chunk.length;
  console.log(`20000 bars in ${Math.round(bytes / 1_024)} kB`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
