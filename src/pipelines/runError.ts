import type { RunReport } from '../operators/running/runReport.js';

/** An error ended the pipeline: the cause says why, and the report what became of every item. */
export class RunError extends Error {
  override readonly name = 'RunError';
  readonly code = 'SLUICE_RUN_FAILED';
  readonly report: RunReport;

  constructor(report: RunReport, options: { cause: unknown }) {
    const reason = options.cause instanceof Error ? options.cause.message : String(options.cause);
    super(`the pipeline failed: ${reason} (${report.written} items written, ${report.held} held)`, options);
    this.report = report;
  }
}

export function isRunError(error: unknown): error is RunError {
  return error instanceof Error && (error as { code?: unknown }).code === 'SLUICE_RUN_FAILED';
}
