import type { Pool } from 'pg';
import type { Table } from '../../src/postgres/table.js';

/** An item that no table of ours knows: a user's own. */
export interface Trade {
  readonly id: string;
  readonly venue: string;
  readonly symbol: string;
  readonly at: number;
  readonly price: number;
  readonly tags?: readonly string[] | null;
  readonly seq?: number;
}

export const trades: Table<Trade> = {
  name: 'trades',
  columns: [
    { name: 'id', type: 'text', of: (trade) => trade.id },
    { name: 'venue', type: 'text', of: (trade) => trade.venue },
    { name: 'symbol', type: 'text', of: (trade) => trade.symbol },
    { name: 'at', type: 'timestamptz', of: (trade) => trade.at },
    { name: 'price', type: 'float8', of: (trade) => trade.price },
    { name: 'tags', type: 'text[]', nullable: true, of: (trade) => trade.tags },
    { name: 'revision', type: 'int8', of: (_trade, seq) => seq },
  ],
  key: ['venue', 'id'],
  keyOf: (trade) => trade.symbol,
  version: 'revision',
  versionOf: (trade) => trade.seq,
  numbered: (trade, seq) => ({ ...trade, seq }),
};

export function trade(fields: Partial<Trade> = {}): Trade {
  return {
    id: 't1',
    venue: 'XNAS',
    symbol: 'ACME',
    at: Date.UTC(2024, 0, 2, 14, 30),
    price: 99.5,
    tags: ['odd-lot'],
    seq: 1,
    ...fields,
  };
}

export async function storedTrades(pool: Pool): Promise<Trade[]> {
  const { rows } = await pool.query(
    'SELECT id, venue, symbol, extract(epoch FROM at)::float8 * 1000 AS at, price, tags, revision::float8 AS seq FROM trades',
  );
  return rows as Trade[];
}
