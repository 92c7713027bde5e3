/**
 * From a socket, or from memory, to the committed row: socket.js <socket|memory> <seconds> <database url>. Prints the latencies in milliseconds.
 */
import pg from 'pg';
import { lastValueFrom, type Observable, takeWhile, tap } from 'rxjs';
import { gatedSource, PipelineMonitor, withContext } from 'sluice';
import type { Trade } from 'sluice/market';
import { writeCoordinator } from 'sluice/operators';
import { massive } from 'sluice/providers/massive';
import { tradesSink } from 'sluice/sinks';
import { quantile } from '../report/table.js';
import { type RemoteServer, startServer } from './remoteServer.js';

export interface SocketResult {
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly highestMs: number;
}

const PER_SECOND = 10_000;
const WARM_UP_SECONDS = 3;
const SYMBOLS = 500;

const from = process.argv[2];
const seconds = Number(process.argv[3]) + WARM_UP_SECONDS;
const total = seconds * PER_SECOND;

const pool = new pg.Pool({ connectionString: process.argv[4]! });
const latencies: number[] = [];
let startedAt = 0;
let seen = 0;

const now = () => performance.timeOrigin + performance.now();

/** The number of the message is in the id: `4:71675:201`. */
const indexOf = ({ id }: Trade) => Number(id.slice(id.indexOf(':') + 1, id.lastIndexOf(':')));

/** The same trades at the same times, without a socket. */
function fromMemory(): Observable<Trade> {
  return gatedSource<Trade>({ name: 'memory' }, (outlet) => {
    let n = 0;
    let timer: NodeJS.Timeout;
    startedAt = Math.ceil(now()) + 200;
    const emit = () => {
      const due = Math.min(total, Math.floor((now() - startedAt) * (PER_SECOND / 1_000)));
      while (n < due && outlet.isOpen) outlet.next(tradeOf(n++));
      if (n === total) outlet.complete();
      else if (!outlet.isOpen) outlet.whenOpen(emit);
      else timer = setTimeout(emit, 1);
    };
    timer = setTimeout(emit, 1);
    return () => clearTimeout(timer);
  });
}

function tradeOf(n: number): Trade {
  const ts = startedAt + Math.floor((n * 1_000) / PER_SECOND);
  const price = 100 + (n % 9_973) / 100;
  const rest = { venue: String(1 + (n % 19)), conditions: ['14', '41'], seq: n };
  return {
    kind: 'trade',
    vendor: 'massive',
    symbol: `S${n % SYMBOLS}`,
    ts,
    price,
    size: 1 + (n % 300),
    id: `${1 + (n % 19)}:${n}:201`,
    ...rest,
  };
}

const server: RemoteServer | undefined =
  from === 'socket' ? await startServer([PER_SECOND, 10, 0, seconds, SYMBOLS]) : undefined;

function fromSocket({ url, start }: RemoteServer): Observable<Trade> {
  const symbols = Array.from({ length: SYMBOLS }, (_, i) => `S${i}`);
  const monitor = new PipelineMonitor();
  const trades$ = massive({ key: 'bench', url }).stream({ kinds: ['trade'], symbols }) as Observable<Trade>;
  const waiting = setInterval(async () => {
    if (monitor.feeds[0]?.confirmed !== SYMBOLS) return;
    clearInterval(waiting);
    ({ startedAt } = await start());
  }, 20);
  return trades$.pipe(withContext({ monitor }));
}

try {
  const trades$ = server ? fromSocket(server) : fromMemory();
  await lastValueFrom(
    trades$.pipe(
      writeCoordinator(tradesSink(pool)),
      tap(({ items }) => {
        const at = now();
        for (const trade of items) {
          const index = indexOf(trade);
          seen += 1;
          if (index >= WARM_UP_SECONDS * PER_SECOND) latencies.push(at - (startedAt + (index * 1_000) / PER_SECOND));
        }
      }),
      takeWhile(() => seen < total, true),
    ),
  );
  const { rows } = await pool.query<{ count: number }>('SELECT count(*)::int AS count FROM trades');
  if (rows[0]?.count !== total) throw new Error(`the table holds ${rows[0]?.count} of ${total} trades`);
} finally {
  server?.stop();
  await pool.end();
}

const result: SocketResult = {
  p50Ms: quantile(latencies, 0.5),
  p99Ms: quantile(latencies, 0.99),
  highestMs: quantile(latencies, 1),
};
console.log(JSON.stringify(result));
