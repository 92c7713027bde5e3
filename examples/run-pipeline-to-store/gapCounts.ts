import { type Observable, tap } from 'rxjs';
import type { MarketEvent } from 'sluice';
import type { Store } from 'sluice/postgres';

/** Further ones are in the table. */
const MAX_TOLD = 20;

/** How many gaps were opened and closed while the program ran. */
export class GapCounts {
  opened = 0;
  closed = 0;
  #told = 0;

  /** Counts the gaps of the providers as they pass. */
  watching(records$: Observable<MarketEvent>): Observable<MarketEvent> {
    return records$.pipe(
      tap((record) => {
        if (record.kind === 'gap' && record.state === 'open') this.opened += 1;
      }),
    );
  }

  close(): void {
    this.closed += 1;
  }

  /** Says what keeps gaps open, not more often than a person reads. */
  tell(text: string): void {
    this.#told += 1;
    if (this.#told <= MAX_TOLD) console.error(text);
    if (this.#told === MAX_TOLD) console.error('further ones are not told: see `npx sluice gaps ls`');
  }
}

/** How many gaps of these vendors are open in the store; `undefined` if that cannot be read. */
export async function openGapsOf({ pool }: Store, vendors: readonly string[]): Promise<number | undefined> {
  try {
    const { rows: tables } = await pool.query(`SELECT to_regclass('gaps') IS NOT NULL AS found`);
    if (!tables[0]?.found) return 0;
    const question = `SELECT count(*)::int AS open FROM gaps WHERE state = 'open' AND vendor = ANY($1::text[])`;
    const { rows } = await pool.query(question, [vendors]);
    return rows[0]?.open as number | undefined;
  } catch {
    return undefined;
  }
}

/** The last line about gaps: what was opened, closed and left. */
export function gapReport({ opened, closed }: GapCounts, open: number | undefined): string {
  if (opened === 0 && closed === 0 && open === 0) return 'gaps: none';
  const left = open === undefined ? 'how many are left cannot be read' : `${open.toLocaleString('en-US')} left open`;
  const remedy =
    open === undefined || open === 0
      ? ''
      : ': see `npx sluice gaps ls`, and repair them with `npx sluice gaps backfill`';
  return `gaps: ${opened.toLocaleString('en-US')} opened, ${closed.toLocaleString('en-US')} closed, ${left}${remedy}`;
}
