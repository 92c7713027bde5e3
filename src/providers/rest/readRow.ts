import { ConnectionLost } from '../providerErrors.js';
import { Unreadable } from '../session.js';
import { maskElement } from '../stream/streamErrors.js';
import type { RejectedElement } from '../streamConfig.js';
import type { RestClient } from './restClient.js';

export interface ReadRowConfig {
  readonly client: RestClient;
  /** What was asked. */
  readonly path: string;
  /** Receives a row that cannot be read. Without it, such a row ends the history. */
  readonly onRejected: ((rejected: RejectedElement) => void) | undefined;
}

/**
 * What `read` makes of a row of history; `undefined` for one that cannot be read and was handed to `onRejected`. Without that it
 * throws a `ConnectionLost`: a row that is skipped in silence would be a hole that nobody sees.
 */
export function readRow<T>(row: unknown, read: (row: unknown) => T | Unreadable, config: ReadRowConfig): T | undefined {
  const made = read(row);
  if (!(made instanceof Unreadable)) return made;
  const { client, path, onRejected } = config;
  const element = maskElement(row, client.secrets);
  // Reasons quote the beginning of a value, which may be a part of a secret: this one quotes the mask.
  const again = element === row ? made : read(element);
  const reason = again instanceof Unreadable ? again.reason : 'it has a secret of the provider';
  if (!onRejected) {
    const words = `GET ${path}: a row cannot be read: ${reason}; set onRejected to go on without it`;
    throw new ConnectionLost(client.name, words, { cause: element });
  }
  onRejected({ element, reason });
  return undefined;
}
