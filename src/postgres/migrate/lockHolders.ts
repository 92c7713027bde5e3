import { printable } from '../../primitives/printable.js';
import { redactText } from '../../primitives/redact.js';

/** What another connection sees of a session, by the id of its process. */
export const LOOK = `
  SELECT a.state,
         (SELECT json_agg(json_build_object(
                   'pid', h.pid, 'program', b.application_name, 'user', b.usename, 'address', host(b.client_addr), 'state', b.state,
                   'seconds', floor(extract(epoch FROM clock_timestamp() - coalesce(b.xact_start, b.query_start)))))::text
            FROM (SELECT DISTINCT unnest(pg_blocking_pids(a.pid)) AS pid) AS h
            LEFT JOIN pg_catalog.pg_stat_activity b ON b.pid = h.pid) AS holders
    FROM pg_catalog.pg_stat_activity a WHERE a.pid = $1`;

export interface Look {
  readonly state: string | null;
  /** JSON, or null for nobody. */
  readonly holders: string | null;
}

/** A session that holds a lock, or stands before us in the queue for it. What this user may not see is null. */
export interface Holder {
  /** 0 for a prepared transaction. */
  readonly pid: number;
  readonly program: string | null;
  readonly user: string | null;
  readonly address: string | null;
  readonly state: string | null;
  readonly seconds: number | null;
}

const MAX_SHOWN = 3;

export function holdersOf({ holders }: Look): readonly Holder[] {
  return holders === null ? [] : (JSON.parse(holders) as Holder[]);
}

/** Who they are, for humans: `process 4711 (psql, user me, idle in transaction for 90 s)`. */
export function holdersText(holders: readonly Holder[]): string {
  const shown = holders.slice(0, MAX_SHOWN).map(holderText);
  if (holders.length > MAX_SHOWN) shown.push(`${holders.length - MAX_SHOWN} more`);
  return shown.join(' and ');
}

function holderText({ pid, program, user, address, state, seconds }: Holder): string {
  if (pid === 0) return 'a prepared transaction, see pg_prepared_xacts';
  const details = [
    program,
    user === null ? null : `user ${user}`,
    address === null ? null : `from ${address}`,
    state === null ? null : seconds === null ? state : `${state} for ${seconds} s`,
  ].filter((detail) => detail !== null && detail !== '');
  const known = details.length === 0 ? '' : ` (${details.join(', ')})`;
  // Any program chooses its name.
  return `process ${pid}${printable(redactText(known))}`;
}
