import { printableLines } from '../primitives/printable.js';

export type TelemetryErrorCode =
  | 'SLUICE_TELEMETRY_PORT_IN_USE'
  | 'SLUICE_TELEMETRY_LISTEN_FAILED'
  | 'SLUICE_TELEMETRY_REGISTRY';

/** Metrics cannot be shown; the message is for humans. The error of the system or the library is the cause. */
export class TelemetryError extends Error {
  override readonly name = 'TelemetryError';
  readonly code: TelemetryErrorCode;

  constructor(code: TelemetryErrorCode, message: string, options: { cause: unknown }) {
    super(printableLines(message), options);
    this.code = code;
  }
}

export function isTelemetryError(error: unknown): error is TelemetryError {
  return error instanceof Error && error.name === 'TelemetryError';
}
