import type { Account } from '../../flow/account.js';
import type { PipelineMonitor } from '../../flow/monitor.js';
import type { Stage } from '../../flow/stage.js';
import { pick } from '../../primitives/pick.js';

/**
 * How a run ended: by itself, by a drain, at the deadline of a drain with items still held, by an error, or because it was
 * unsubscribed, which only a `sinkSubscriber` can be.
 */
export type RunOutcome = 'completed' | 'drained' | 'deadline' | 'failed' | 'unsubscribed';

/** What every stage counts. */
export const COUNTS = ['in', 'out', 'written', 'diverted'] as const;

const REPORTED = ['id', 'kind', ...COUNTS] as const;

/** What one stage counted in a run, in items. */
export interface StageReport extends Pick<Stage, (typeof REPORTED)[number]> {
  readonly dropped: number;
  readonly held: number;
}

/**
 * The account of a run. What is `held` when it has ended is in no store and in no dead letter: it is lost unless the source can
 * give it again. `received = written + diverted + dropped + filtered + delivered + held`.
 */
export interface RunReport extends Account {
  /** How it ended. */
  readonly outcome: RunOutcome;
  /** From the subscription to the end, in milliseconds. */
  readonly durationMs: number;
  /** Batches written, whole or in part. */
  readonly batches: number;
  /** Rows that the sinks say they inserted or changed. */
  readonly rows: number;
  /** Where the held items were, by stage; empty where none were. */
  readonly heldBy: Readonly<Record<string, number>>;
  /** Every stage, in the order in which items pass them. */
  readonly stages: readonly StageReport[];
  /**
   * Sources that did not hear the request to stop, so that the drain lasted until its deadline: put `untilStopped()` directly behind
   * each. By name, or by the stage below, as `the source of boundedBuffer`.
   */
  readonly unstopped: readonly string[];
  /** The signal that asked for the stop, if one did. */
  readonly signal?: string;
  /** What ended a failed run. */
  readonly error?: unknown;
}

export function reportOf(
  monitor: PipelineMonitor,
  run: Pick<RunReport, 'outcome' | 'durationMs' | 'batches' | 'rows' | 'unstopped' | 'signal' | 'error'>,
): RunReport {
  const stages = [...monitor.stages].reverse().map((stage): StageReport => {
    const { droppedTotal: dropped, held, abandoned } = stage;
    return { ...pick(stage, REPORTED), dropped, held: held + abandoned };
  });
  const heldBy = Object.fromEntries(stages.filter(({ held }) => held > 0).map(({ id, held }) => [id, held]));
  const account = monitor.account();
  for (const [id, held] of Object.entries(account.heldAbove ?? {})) heldBy[`above ${id}`] = held;
  return { ...run, ...account, heldBy, stages };
}
