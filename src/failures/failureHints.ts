import type { RejectedItem } from './classifyFailure.js';
import { sqlStateOf } from './sqlState.js';
import { type FailureLink, walkFailure } from './walkFailure.js';

/**
 * Whether an error, or one of its causes, carries a code or says when to try again: it is then of a known kind rather than
 * somebody's `new Error`.
 */
export function hasFailureCode(error: unknown): boolean {
  const isKnown = ({ sqlState, code }: FailureLink) => typeof (sqlState ?? code) === 'string' || undefined;
  return walkFailure(error, isKnown) ?? retryAfterMsOf(error) > 0;
}

/** Whether an error says that an established connection broke. Another one may be available at once. */
export function isLostConnection(error: unknown): boolean {
  const isLost = ({ connectionLost, code }: FailureLink) =>
    connectionLost === true || code === 'ECONNRESET' || code === 'EPIPE' || undefined;
  return walkFailure(error, isLost) ?? false;
}

/**
 * How long an error asks us to wait before the next attempt, by the `retryAfterMs` of it or of one of its causes, outermost
 * first. 0 if none says so, or if the value is no finite time.
 */
export function retryAfterMsOf(error: unknown): number {
  const ask = ({ retryAfterMs: ms }: FailureLink) =>
    typeof ms === 'number' && ms > 0 && Number.isFinite(ms) ? ms : undefined;
  return walkFailure(error, ask) ?? 0;
}

/**
 * Classes of SQLSTATE in which the rule of a table refuses a row: integrity constraints, the check of a view, triggers. In
 * others, such as data exceptions, the value itself is at fault.
 */
const RULE_CLASSES = new Set(['23', '44', 'P0']);

/** The refusal of a row for which there is no partition: of the errors of class 23, the only one that names no constraint. */
export const NO_PARTITION = '23514';

/**
 * By which rule its target refuses a row, as far as an error says so: the `rule` of it or of one of its causes, else SQLSTATE and
 * constraint or column. Errors of equal rules have equal texts.
 */
export function refusalOf(error: unknown): string | undefined {
  let state: string | undefined;
  let rule: string | undefined;
  const own = walkFailure(error, (link) => {
    const found = sqlStateOf(link);
    if (found !== undefined && RULE_CLASSES.has(found.slice(0, 2))) state ??= found;
    rule ??= textOf(link.constraint) ?? textOf(link.column);
    return textOf(link.rule);
  });
  return own ?? (state === undefined || rule === undefined ? state : `${state} (${rule})`);
}

/** The items of the batch that an error names as those that are refused. What is no place in a batch is left out. */
export function rejectedItemsOf(error: unknown): readonly RejectedItem[] {
  return (
    walkFailure(error, ({ rejected }) => (Array.isArray(rejected) ? rejected.flatMap(rejectedItem) : undefined)) ?? []
  );
}

function rejectedItem(named: unknown): RejectedItem[] {
  const { index, error } = (typeof named === 'number' ? { index: named } : Object(named)) as Partial<RejectedItem>;
  if (!Number.isSafeInteger(index) || index! < 0) return [];
  return [error === undefined ? { index: index! } : { index: index!, error }];
}

/** At most so many characters of the name of a rule, which comes from outside. */
const MAX_RULE = 200;

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value.slice(0, MAX_RULE) : undefined;
}
