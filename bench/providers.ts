/**
 * What providers cost: decoding, the way from the socket to the committed row, and memory behind a slow sink.
 *
 * Decoding. 2,000 frames of Massive with 20 elements each (of ten, one is a minute bar, four are trades, five are quotes) pass through its session and
 * its normaliser, and, in turns within the same process, through nothing but `JSON.parse`. `ratioToParse` is the median of the rounds'
 * ratios: 1 would mean that records cost nothing beyond the parsing.
 *
 * Socket. A server in another process sends 10,000 trades a second of 500 symbols over a loopback WebSocket, ten in a frame; the provider, a
 * `writeCoordinator` with its defaults and `tradesSink` write them into a real Postgres server with its durable defaults. The load is open: trade n is
 * due n / 10,000 seconds after the start, and its latency counts from then until the outcome of its batch. Beside it, the same pipeline is fed the same
 * trades from memory. Each has its own process; they alternate, the first three seconds are discarded, and the figures are medians of the runs.
 *
 * Memory, with `--memory`. 10,000 symbols, trades and quotes in equal parts, 50,000 messages a second for 60 seconds, into a sink that takes a tenth of
 * that. At the end each trade must have been written or be in a gap record of its symbol, and each quote written or counted as conflated, or the bench fails.
 * What then waits is written without the delay. `growthMb` is the median of the resident memory over the last third of
 * the time minus that over the third before; `spreadMb` the highest minus the lowest sample after the first fifth, most of which lies between two garbage
 * collections.
 *
 * `npm run bench -- providers --quick` shows within half a minute that the bench works.
 */
import { startPostgres } from '../test/postgres/server.js';
import type { DecodeResult } from './providers/decode.js';
import type { SlowSinkResult } from './providers/slowSink.js';
import type { SocketResult } from './providers/socket.js';
import { runInChild } from './report/child.js';
import { median, printTable, rounded } from './report/table.js';

const isQuick = process.argv.includes('--quick');
const program = (name: string) => new URL(`./providers/${name}.js`, import.meta.url);
const thousands = (value: number) => Math.round(value).toLocaleString('en');

if (process.argv.includes('--memory')) await measureMemory();
else await measureSpeed();

async function measureMemory(): Promise<void> {
  const args = isQuick ? ['8', '20000', '10000'] : ['60', '50000', '10000'];
  const result = await runInChild<SlowSinkResult>(program('slowSink'), args);
  const { samplesMb, ...counts } = result;
  printTable(
    ['what', 'count'],
    Object.entries(counts).map(([what, count]) => [what, thousands(count)]),
  );
  console.log(`resident MB, from start to end: ${samplesMb.join(' ')}`);
  const { peakRssMb, growthMb, spreadMb } = result;
  const figures = { rssMb: peakRssMb, growthMb, spreadMb };
  console.log(JSON.stringify(Object.fromEntries(Object.entries(figures).map(([of, mb]) => [of, rounded(mb, 1)]))));
}

async function measureSpeed(): Promise<void> {
  const decoded = await runInChild<DecodeResult>(program('decode'), [isQuick ? '5' : '40']);
  printTable(
    ['', 'elements/s'],
    [
      ['JSON.parse', thousands(decoded.parsePerSec)],
      ['session and normaliser', thousands(decoded.decodePerSec)],
    ],
  );
  console.log();

  const server = await startPostgres({ durable: true });
  const runs: Record<'socket' | 'memory', SocketResult[]> = { socket: [], memory: [] };
  try {
    for (let round = 0; round < (isQuick ? 1 : 3); round++) {
      const order = round % 2 === 0 ? (['socket', 'memory'] as const) : (['memory', 'socket'] as const);
      for (const from of order) {
        const database = await server.database();
        const args = [from, isQuick ? '4' : '10', database.url];
        runs[from].push(await runInChild<SocketResult>(program('socket'), args));
        await database.drop();
      }
    }
  } finally {
    await server.stop();
  }
  const figures = (from: 'socket' | 'memory') =>
    (['p50Ms', 'p99Ms', 'highestMs'] as const).map((figure) => median(runs[from].map((run) => run[figure])));
  printTable(
    ['due to committed, ms', 'p50', 'p99', 'highest'],
    (['socket', 'memory'] as const).map((from) => [`from ${from}`, ...figures(from).map((ms) => ms.toFixed(2))]),
  );
  console.log(
    JSON.stringify({
      ratioToParse: rounded(decoded.ratioToParse, 3),
      messagesPerSec: Math.round(decoded.decodePerSec),
      socketP99Ms: rounded(figures('socket')[1]!, 2),
      memoryP99Ms: rounded(figures('memory')[1]!, 2),
    }),
  );
}
