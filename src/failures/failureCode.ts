import { walkFailure } from './walkFailure.js';

/** Whether an error, or one of its causes, carries a code: it is then of a known kind rather than somebody's `new Error`. */
export function hasFailureCode(error: unknown): boolean {
  return walkFailure(error, ({ sqlState, code }) => typeof (sqlState ?? code) === 'string' || undefined) ?? false;
}

/** Whether an error says that an established connection broke. Another one may be available at once. */
export function isLostConnection(error: unknown): boolean {
  const isLost = ({ connectionLost, code }: { readonly connectionLost?: unknown; readonly code?: unknown }) =>
    connectionLost === true || code === 'ECONNRESET' || code === 'EPIPE' || undefined;
  return walkFailure(error, isLost) ?? false;
}
