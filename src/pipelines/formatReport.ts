import type { RunOutcome, RunReport } from '../operators/running/runReport.js';
import { count } from '../primitives/count.js';
import { printableLines } from '../primitives/printable.js';
import { sentenceOf } from './failureText.js';

const OUTCOMES: Record<RunOutcome, string> = {
  completed: 'completed',
  drained: 'drained after a request to stop',
  deadline: 'stopped at the deadline of its drain',
  failed: 'failed',
  unsubscribed: 'unsubscribed',
};

/**
 * Whether every item reached its end: written, diverted, delivered, or given up by a rule of the pipeline. What was held when the
 * run ended did not: it is lost unless its source can give it again, and a program should then end with another exit code than 0.
 *
 * @example
 * ```ts
 * import { formatReport, isSettled, run } from 'sluice/pipelines';
 * import { writeCoordinator } from 'sluice/operators';
 * import { memorySink } from 'sluice/sinks';
 * import { synthetic } from 'sluice/sources';
 *
 * const report = await run(synthetic({ count: 1_000, seed: 7 }).pipe(writeCoordinator(memorySink())));
 * console.log(formatReport(report));
 * if (!isSettled(report)) process.exitCode = 1;
 * ```
 */
export function isSettled({ held, conservation }: RunReport): boolean {
  return held === 0 && conservation === 0;
}

/**
 * Formats the report for humans, one fact per line. What must not be overlooked is in capitals at the end: rows of files that were
 * refused, writes that changed nothing, items that are lost, and why a run failed.
 */
export function formatReport(report: RunReport): string {
  const seconds = report.durationMs / 1000;
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
  for (const source of report.unstopped) {
    lines.push(`${source} did not hear the request to stop: put untilStopped() directly behind it`);
  }
  if (report.held > 0) {
    lines.push(
      `NOT SETTLED: ${count(report.held)} items were held at the end, lost unless their source gives them again`,
    );
  }
  if (report.conservation !== 0) lines.push(`UNACCOUNTED FOR: ${count(report.conservation)} items`);
  if (isSettled(report)) lines.push('every item is accounted for');
  const { badRow: droppedRows = 0 } = report.dropped;
  const { badRow: divertedRows = 0 } = report.divertedBy;
  if (droppedRows + divertedRows > 0) lines.push(badRowsText(droppedRows, divertedRows));
  if (report.written > 0 && report.rows === 0) {
    lines.push(
      'NO ROW CHANGED: the store holds all of these records already, in the same version or a newer one; ' +
        "to restate history, give it a higher seq (seqFrom: 'mtime' for a file)",
    );
  }
  if (report.outcome === 'failed') lines.push(`FAILED: ${sentenceOf(report.error)}`);
  return printableLines(lines.join('\n'));
}

function badRowsText(dropped: number, diverted: number): string {
  const fates = [];
  if (diverted > 0) fates.push(`${count(diverted)} went to the dead letters`);
  if (dropped > 0) fates.push(`${count(dropped)} dropped: badRows keeps them in the dead letters`);
  return `BAD ROWS: ${count(dropped + diverted)} rows could not be read; ${fates.join(', ')}`;
}
