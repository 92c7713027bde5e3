import type { RunReport } from '../operators/running/runReport.js';

/** The time of a drain was over before everything was handed to the consumer: what was held is in the report. */
export class DrainDeadlineError extends Error {
  override readonly name = 'DrainDeadlineError';
  readonly code = 'SLUICE_DRAIN_DEADLINE';
  readonly report: RunReport;

  constructor(owner: string, drainTimeoutMs: number, report: RunReport) {
    const held = Object.entries(report.heldBy).map(([stage, count]) => `${stage} ${count}`);
    super(
      `${owner}: after the request to stop, ${report.held} items (${held.join(', ')}) were not taken within ${drainTimeoutMs} ms: ` +
        'they are lost unless their source gives them again. Take items faster, or raise drainTimeoutMs',
    );
    this.report = report;
  }
}

export function isDrainDeadlineError(error: unknown): error is DrainDeadlineError {
  return error instanceof Error && (error as { code?: unknown }).code === 'SLUICE_DRAIN_DEADLINE';
}
