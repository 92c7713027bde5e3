import type { Account, PipelineMonitor } from '../flow/monitor.js';

/**
 * How a run ended: by itself, after a request to stop, at the deadline of that request with items still in hand, or by
 * an error.
 */
export type RunOutcome = 'completed' | 'drained' | 'deadline' | 'failed';

/** What one stage did in a run, in items. */
export interface StageReport {
  readonly id: string;
  readonly kind: string;
  readonly in: number;
  readonly out: number;
  readonly written: number;
  readonly diverted: number;
  readonly dropped: number;
  readonly held: number;
}

/** The account of a run: `received = written + diverted + dropped + filtered + delivered + held`. */
export interface RunReport extends Account {
  readonly outcome: RunOutcome;
  readonly durationMs: number;
  /** Batches that were written, whole or in part, and the rows that they inserted or changed. */
  readonly batches: number;
  readonly rows: number;
  /** Why items were diverted, with how many; empty where none were. */
  readonly divertedBy: Readonly<Record<string, number>>;
  /** Where the held items were, by stage; empty where none were. */
  readonly heldBy: Readonly<Record<string, number>>;
  /** Every stage, in the order in which items pass them. */
  readonly stages: readonly StageReport[];
  /** The signal that asked for the stop, if one did. */
  readonly signal?: string;
  /** What ended a failed run. */
  readonly error?: unknown;
}

export function reportOf(
  monitor: PipelineMonitor,
  run: Pick<RunReport, 'outcome' | 'durationMs' | 'batches' | 'rows' | 'signal' | 'error'>,
): RunReport {
  const stages = [...monitor.stages].reverse().map((stage) => ({
    id: stage.id,
    kind: stage.kind,
    in: stage.in,
    out: stage.out,
    written: stage.written,
    diverted: stage.diverted,
    dropped: stage.droppedTotal,
    held: stage.held + stage.abandoned,
  }));
  const heldBy = Object.fromEntries(stages.filter(({ held }) => held > 0).map(({ id, held }) => [id, held]));
  const divertedBy = new Map<string, number>();
  for (const stage of monitor.stages) {
    for (const [reason, count] of stage.divertedBy) divertedBy.set(reason, (divertedBy.get(reason) ?? 0) + count);
  }
  return { ...run, ...monitor.account(), divertedBy: Object.fromEntries(divertedBy), heldBy, stages };
}

const OUTCOMES: Record<RunOutcome, string> = {
  completed: 'completed',
  drained: 'drained after a request to stop',
  deadline: 'stopped at the deadline with items in hand',
  failed: 'failed',
};

/** The report for people, a line a fact. */
export function formatReport(report: RunReport): string {
  const seconds = report.durationMs / 1000;
  const count = (n: number) => n.toLocaleString('en-US');
  const rate = seconds > 0 ? `, ${count(Math.round(report.written / seconds))} items/s` : '';
  const dropped = Object.values(report.dropped).reduce((sum, n) => sum + n, 0);
  const by = (counts: Readonly<Record<string, number>>) => {
    const parts = Object.entries(counts).map(([name, n]) => `${name} ${count(n)}`);
    return parts.length > 0 ? ` (${parts.join(', ')})` : '';
  };
  const lines = [
    `${OUTCOMES[report.outcome]}${report.signal ? ` (${report.signal})` : ''} in ${seconds.toFixed(2)} s${rate}`,
    `received  ${count(report.received)}`,
    `written   ${count(report.written)} (${count(report.rows)} rows inserted or changed, ${count(report.batches)} batches)`,
    `diverted  ${count(report.diverted)}${by(report.divertedBy)}`,
    `dropped   ${count(dropped)}${by(report.dropped)}`,
  ];
  if (report.filtered > 0) lines.push(`filtered  ${count(report.filtered)} (by operators between the stages)`);
  if (report.delivered > 0) lines.push(`delivered ${count(report.delivered)} (to the subscriber)`);
  lines.push(`held      ${count(report.held)}${by(report.heldBy)}`);
  lines.push(
    report.conservation === 0 ? 'every item is accounted for' : `UNACCOUNTED FOR: ${count(report.conservation)} items`,
  );
  return lines.join('\n');
}
