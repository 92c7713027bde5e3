import { printable } from '../../primitives/printable.js';

/** A capture could not be written, or cannot be read. The message names the file. */
export class FrameCaptureError extends Error {
  override readonly name = 'FrameCaptureError';
  readonly code = 'SLUICE_FRAME_CAPTURE';

  constructor(message: string, options?: ErrorOptions) {
    super(printable(message), options);
  }
}

export function isFrameCaptureError(error: unknown): error is FrameCaptureError {
  const code: FrameCaptureError['code'] = 'SLUICE_FRAME_CAPTURE';
  return error instanceof Error && (error as { code?: unknown }).code === code;
}
