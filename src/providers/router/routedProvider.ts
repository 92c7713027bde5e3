import type { Provider } from '../provider.js';

/** A provider as one of several. */
export interface RoutedProvider {
  readonly provider: Provider;
  /**
   * How it spells a symbol of the request; `undefined` for one that it does not have. Where providers spell symbols differently, such
   * as `BTC-USD` and `BTCUSDT`. Default: as the request does.
   */
  readonly spell?: (symbol: string) => string | undefined;
}

export function routed(provider: Provider | RoutedProvider): RoutedProvider {
  return 'provider' in provider ? provider : { provider };
}
