import type { Pool } from 'pg';
import { from, lastValueFrom } from 'rxjs';
import type { Sink, WriteReceipt } from '../../src/contracts/sink.js';
import type { Bar } from '../../src/market/bar.js';

/** A bar of one symbol; what differs from the template is given. */
export function bar(fields: Partial<Bar> = {}): Bar {
  return {
    kind: 'bar',
    vendor: 'test',
    symbol: 'ACME',
    timeframe: '1m',
    ts: Date.UTC(2024, 0, 2, 14, 30),
    open: 1,
    high: 2,
    low: 0.5,
    close: 1.5,
    volume: 100,
    seq: 1,
    ...fields,
  };
}

/** So many bars of different keys, all with the same version. */
export function barsOf(count: number, fields: Partial<Bar> = {}): Bar[] {
  return Array.from({ length: count }, (_, i) => bar({ ts: Date.UTC(2024, 0, 2) + i * 60_000, close: i, ...fields }));
}

export function write<T>(sink: Sink<T>, batch: readonly T[]): Promise<WriteReceipt> {
  return lastValueFrom(from(sink.write(batch)));
}

export interface StoredBar {
  readonly vendor: string;
  readonly symbol: string;
  readonly timeframe: string;
  /** Microseconds of the epoch, as text: a number would do, but the driver does not take the risk. */
  readonly micros: string;
  readonly open: number;
  readonly high: number;
  readonly low: number;
  readonly close: number;
  readonly volume: number;
  readonly seq: string;
}

/** The rows of a table of bars, by their key. */
export async function storedBars(pool: Pool, table = 'bars'): Promise<StoredBar[]> {
  const { rows } = await pool.query<StoredBar>(
    `SELECT vendor, symbol, timeframe, (extract(epoch FROM ts) * 1000000)::bigint AS micros,
            open, high, low, close, volume, seq
       FROM ${table} ORDER BY vendor, symbol, timeframe, ts`,
  );
  return rows;
}
