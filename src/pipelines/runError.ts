import type { RunReport } from '../operators/running/runReport.js';
import { count } from '../primitives/count.js';
import { failureText, sentenceOf } from './failureText.js';

/**
 * An error ended the pipeline: `cause` says why, and `report` what became of every item.
 *
 * Where nobody catches it, Node prints its stack: about ten lines with the sentence, the codes of the causes, the account and what to
 * do next. So does `console.error(error)`.
 */
export class RunError extends Error {
  override readonly name = 'RunError';
  readonly code = 'SLUICE_RUN_FAILED';
  /** The error as it was thrown. */
  declare readonly cause: unknown;
  /** The account up to the failure. */
  declare readonly report: RunReport;

  constructor(report: RunReport, options: { cause: unknown }) {
    const { cause } = options;
    const held =
      report.held === 0 ? '0 held' : `${count(report.held)} held and lost unless their source gives them again`;
    super(`the pipeline failed: ${sentenceOf(cause)} (${count(report.written)} items written, ${held})`);
    // Node prints all properties of an error that nobody catches: the values of getters and of hidden ones it does not.
    Object.defineProperty(this, 'cause', { get: () => cause, enumerable: false, configurable: true });
    Object.defineProperty(this, 'report', { value: report, enumerable: false, configurable: true });
    try {
      const stack = failureText(this.name, this.message, report, cause, this.stack ?? '');
      Object.defineProperty(this, 'stack', { value: stack, enumerable: false, configurable: true, writable: true });
    } catch {
      // The getters of a cause may throw: the stack stays as it is.
    }
  }

  /** What `console.error()` shows. */
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.stack ?? this.message;
  }
}

export function isRunError(error: unknown): error is RunError {
  return error instanceof Error && (error as { code?: unknown }).code === 'SLUICE_RUN_FAILED';
}
