/** As much of a `CallSite` of V8 as is used. */
export interface Frame {
  getFileName(): string | null | undefined;
  getFunctionName(): string | null;
}

/** The parts of `Error` that only V8 has. */
interface ErrorOfV8 {
  captureStackTrace?(target: object, above?: (...args: never[]) => unknown): void;
  stackTraceLimit?: number;
  prepareStackTrace?: ((error: Error, frames: readonly Frame[]) => unknown) | undefined;
}

/** The frames of the call stack above `callee`, the innermost first; `undefined` where the engine does not give them. */
export function framesAbove(callee: (...args: never[]) => unknown): readonly Frame[] | undefined {
  const V8 = Error as unknown as ErrorOfV8;
  if (V8.captureStackTrace === undefined) return undefined;
  const { stackTraceLimit, prepareStackTrace } = V8;
  const holder: { stack?: unknown } = {};
  try {
    V8.stackTraceLimit = Number.POSITIVE_INFINITY;
    V8.prepareStackTrace = (_, frames) => frames;
    V8.captureStackTrace(holder, callee);
    // Made when it is first read.
    return Array.isArray(holder.stack) ? holder.stack : undefined;
  } catch {
    // Some hosts freeze what is built in.
    return undefined;
  } finally {
    if (Object.isExtensible(Error)) Object.assign(V8, { stackTraceLimit, prepareStackTrace });
  }
}
