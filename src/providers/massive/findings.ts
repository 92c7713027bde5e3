import type { ProviderError } from '../providerErrors.js';
import type { Frame, Refusal, Series, SessionStep } from '../session.js';

/** What the elements of a frame add to its step. */
export interface Findings {
  readonly elements: unknown[];
  readonly send: Frame[];
  readonly confirmed: Series[];
  readonly refused: Refusal[];
  readonly notices: string[];
  isReady: boolean;
  fail: ProviderError | undefined;
}

export function nothingFound(): Findings {
  return { elements: [], send: [], confirmed: [], refused: [], notices: [], isReady: false, fail: undefined };
}

export function stepOf(found: Findings): SessionStep {
  return {
    ...(found.elements.length > 0 && { elements: found.elements }),
    ...(found.send.length > 0 && { send: found.send }),
    ...(found.confirmed.length > 0 && { confirmed: found.confirmed }),
    ...(found.refused.length > 0 && { refused: found.refused }),
    ...(found.notices.length > 0 && { notices: found.notices }),
    ...(found.isReady && { isReady: true }),
    ...(found.fail && { fail: found.fail }),
  };
}
