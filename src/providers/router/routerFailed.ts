import { messageOf } from '../../primitives/messageOf.js';

/** Why a provider has ended. */
export interface ProviderEnd {
  readonly provider: string;
  readonly error: unknown;
}

/** No provider of a router is left. */
export class RouterFailed extends Error {
  override readonly name = 'RouterFailed';
  readonly code = 'SLUICE_ROUTER_FAILED';
  /** In the order of preference. */
  readonly ends: readonly ProviderEnd[];

  constructor(router: string, ends: readonly ProviderEnd[]) {
    const reasons = ends.map(({ provider, error }) => `${provider} (${messageOf(error)})`).join('; ');
    super(`${router}: no provider is left: ${reasons}. Mend what is wrong with one of them, and start again.`, {
      cause: ends.find(({ error }) => error instanceof Error)?.error,
    });
    this.ends = ends;
  }
}

export function isRouterFailed(error: unknown): error is RouterFailed {
  return error instanceof Error && (error as { code?: unknown }).code === 'SLUICE_ROUTER_FAILED';
}
