import type { Frame } from '../../session.js';
import type { GatewayEvent } from '../frames.js';
import type { IbkrRequestCost } from '../pacing.js';

/** One request, and what becomes of its answers. */
export interface HistoryJob<T> {
  /** What it is about, for messages. */
  readonly about: string;
  readonly cost: IbkrRequestCost;
  /** The event that answers a request without an id, such as that for news providers. */
  readonly answeredBy?: string;
  request(id: number): { readonly frame: Frame; readonly cancel?: Frame };
  /** Takes an answer. Returns whether it was the last. */
  take(event: GatewayEvent): boolean;
  /** What the answers are; also of none, where TWS says that there are no data. */
  result(): T;
}
