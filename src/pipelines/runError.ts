import type { RunReport } from '../operators/running/runReport.js';
import { messageOf } from '../primitives/messageOf.js';

/** An error ended the pipeline: the cause says why, and the report what became of every item. */
export class RunError extends Error {
  override readonly name = 'RunError';
  readonly code = 'SLUICE_RUN_FAILED';
  readonly report: RunReport;

  constructor(report: RunReport, options: { cause: unknown }) {
    const held = report.held === 0 ? '0 held' : `${report.held} held and lost unless their source gives them again`;
    super(`the pipeline failed: ${messageOf(options.cause)} (${report.written} items written, ${held})`, options);
    this.report = report;
  }
}

export function isRunError(error: unknown): error is RunError {
  return error instanceof Error && (error as { code?: unknown }).code === 'SLUICE_RUN_FAILED';
}
