import type { RunOutcome, RunReport } from '../operators/running/runReport.js';

const OUTCOMES: Record<RunOutcome, string> = {
  completed: 'completed',
  drained: 'drained after a request to stop',
  deadline: 'stopped at the deadline with items held',
  failed: 'failed',
  unsubscribed: 'unsubscribed',
};

/** Formats the report for humans, one fact per line. */
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
