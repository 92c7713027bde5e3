/** Products in USDC that have a market of their own. */
const OWN_MARKETS: ReadonlySet<string> = new Set(['USDT-USDC', 'EURC-USDC']);

/**
 * The product whose data the public channels carry for one: `BTC-USDC` has no market of its own, and comes as `BTC-USD`.
 *
 * https://docs.cdp.coinbase.com/coinbase-app/advanced-trade-apis/websocket/websocket-channels
 */
export function publicProduct(product: string): string {
  return product.endsWith('-USDC') && !OWN_MARKETS.has(product) ? product.slice(0, -1) : product;
}
