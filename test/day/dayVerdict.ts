import type pg from 'pg';
import type { Gap } from 'sluice/market';
import { clockOf, describeFault } from './dayScript.js';
import { differenceOf, keyOf, type Row, storedRows } from './dayTruth.js';
import type { DayWorld } from './dayWorld.js';

export interface Claims {
  /** What the tables must hold. */
  readonly expected: readonly Row[];
  /** What rows may say instead. Default: nothing else. */
  readonly former?: readonly Row[];
  /** Whether a gap may be open at the end of the day: then what is missing of its series lies inside of it. Default: none may. */
  readonly mayBeOpen?: (gap: Gap) => boolean;
}

const MINUTE_MS = 60_000;
const MAX_NAMED = 12;

/** What is wrong with a day that is over, in sentences; empty if nothing is. */
export async function verdictOn(world: DayWorld, pool: pg.Pool, claims: Claims): Promise<readonly string[]> {
  const gaps = await world.gaps();
  return [
    ...wrongRows(claims, await storedRows(pool), gaps),
    ...gaps.flatMap((gap) => wrongGap(gap, claims)),
    ...(await wrongProcesses(world)),
    ...brokenLimits(world),
    ...world.failures.map((failure) => `failed: ${String(failure)}`),
  ];
}

function wrongRows(
  { expected, former = [], mayBeOpen = () => false }: Claims,
  stored: readonly Row[],
  gaps: readonly Gap[],
) {
  const { missing, wrong, unknown } = differenceOf(expected, stored);
  const open = gaps.filter((gap) => gap.state === 'open' && mayBeOpen(gap));
  const formerly = new Set(former.map((row) => `${keyOf(row)} ${row.value}`));
  const isFormer = (row: Row) => formerly.has(`${keyOf(row)} ${row.value}`);
  const isExcused = (row: Row) => open.some((gap) => isIn(gap, row));
  return [
    ...named('rows are missing', missing.filter((row) => !isExcused(row)).map(keyOf)),
    ...named(
      'rows are wrong',
      wrong.flatMap(([there, right]) => {
        return isExcused(right) || isFormer(there)
          ? []
          : [`${keyOf(there)} is ${there.value} in place of ${right.value}`];
      }),
    ),
    ...named('rows were never told', unknown.map(keyOf)),
  ];
}

function isIn({ vendor, of, symbol, from, to }: Gap, row: Row): boolean {
  return of === row.of && vendor === row.vendor && symbol === row.symbol && row.ts >= from && row.ts <= to;
}

/** `filled` counts the rows of its span; the bar of its last minute may not have begun when they were counted. */
function wrongGap(gap: Gap, { expected, mayBeOpen = () => false }: Claims): readonly string[] {
  const { state, rows, to } = gap;
  if (state === 'open') return mayBeOpen(gap) ? [] : [`${describeGap(gap)} is not closed`];
  const inside = expected.filter((row) => isIn(gap, row));
  const surely = gap.of === 'bar' ? inside.filter(({ ts }) => ts <= to - MINUTE_MS) : inside;
  const counted = rows ?? 0;
  const isRight = counted >= surely.length && counted <= inside.length && (state === 'filled') === counted > 0;
  return isRight ? [] : [`${describeGap(gap)} says ${rows} rows, and there are ${surely.length} to ${inside.length}`];
}

export function describeGap({ of, vendor, symbol, cause, from, to, state, reason }: Gap): string {
  const words = reason === undefined || reason === null ? '' : ` (${reason})`;
  return `gap ${vendor} ${of} ${symbol} ${cause} ${clockOf(from)} to ${clockOf(to)} ${state}${words}`;
}

async function wrongProcesses({ processes, clock }: DayWorld): Promise<readonly string[]> {
  const problems: string[] = [];
  for (const [index, { report, monitor }] of processes.entries()) {
    const { conservation } = monitor.account();
    if (conservation !== 0) problems.push(`process ${index}: ${conservation} items are not accounted for`);
    const { outcome, held, heldBy } = await report;
    const isLast = index === processes.length - 1;
    if (isLast && (outcome !== 'drained' || held > 0)) {
      problems.push(`process ${index} ended as ${outcome}, with ${held} items held: ${JSON.stringify(heldBy)}`);
    }
  }
  if (clock.timers > 0) problems.push(`${clock.timers} timers are left`);
  return problems;
}

/** By the venues' own counts. */
function brokenLimits({ venues }: DayWorld): readonly string[] {
  return Object.entries(venues).flatMap(([name, { violations }]) => named(`broken limits of ${name}`, violations));
}

function named(what: string, all: readonly string[]): readonly string[] {
  if (all.length === 0) return [];
  const more = all.length > MAX_NAMED ? ` and ${all.length - MAX_NAMED} more` : '';
  return [`${all.length} ${what}: ${all.slice(0, MAX_NAMED).join('; ')}${more}`];
}

/** The day as it was planned and went, for who reads a failure. */
export function storyOf({ script, timeline }: DayWorld, gaps: readonly Gap[]): string {
  return [
    `symbols ${script.symbols.join(', ')}; ${script.tradesPerMinute} trades per minute; told every ${script.tellEveryMs} ms`,
    'planned:',
    ...script.faults.map((fault) => `  ${describeFault(fault)}`),
    'happened:',
    ...timeline.map((line) => `  ${line}`),
    ...gaps.map((gap) => `  ${describeGap(gap)}`),
  ].join('\n');
}
