import { isObservable, type Observable } from 'rxjs';
import { fanIn } from '../../flow/fanIn.js';
import { StopSignal } from '../../flow/stopSignal.js';
import type { MarketEvent } from '../../market/recordKinds.js';
import { type ProviderRouterConfig, readRouterConfig, readSymbolSet } from './routerConfig.js';
import { RouterRun } from './routerRun.js';

/**
 * Live records of several providers as one source, which goes on while any of them does.
 *
 * ```text
 * x          a--b------------------c-d-e-f-g
 * y                    c-d-e-f-g-h-
 * output     a--b------Gc-d-e-f-g-h-Gi-j         G: gap records
 *                      ^ x was silent for too long
 *                                   ^ x has been well for failBackAfterMs
 * ```
 *
 * With `failover` the first provider that is well delivers. It is left when it is silent for `staleAfterMs`, when its connections
 * fail too often, or when it fails for good. Meanwhile those that are preferred are asked too, without being delivered, and
 * get back what they had once they have been well for `failBackAfterMs`. With `merge` every provider delivers what it has. With
 * `partition` each symbol comes from one provider, by a hash or by your rule; the symbols of one that is not well move to the others,
 * and back in the same way.
 *
 * **Emits when**: a provider that delivers does. At each switch, a gap record for each series: from the last record of the provider
 * before to the first confirmation of the one that takes over, with the vendor of that one, so that its history can tell
 * what nobody delivered.
 * **Backpressure**: pauses. The stream of each provider hears the gate downstream and holds what comes meanwhile, within its own bound.
 * Silence while the gate is closed is none.
 * **Completes when**: the pipeline is asked to drain and every stream has emitted what it holds; the streams of all providers
 * have completed, as recordings do; `symbols` completes without a set that has one.
 * **Errors when**: no provider is left, with a `RouterFailed` that names each and why; `symbols` fails, or has a set that is none;
 * a callback throws.
 * **On unsubscribe**: every stream is unsubscribed.
 *
 * **Delivery**: at most once across a crash, as with each provider; what a switch may have missed is a gap record. What another provider
 * delivered before a switch is dropped after it as `duplicate`, for ten seconds, by the key of its kind without the vendor, among the
 * last 4,096 records; what comes of a provider that does not deliver, as `standby`.
 *
 * **Gotchas**:
 * - Each record keeps its vendor unless `as` is given. Then all are one series, and a gap record has that vendor too.
 * - Prefer `staleAfterMs` here to that of the providers, with a `calendar` where the market closes: without one of them a connection
 *   that is open and carries nothing is never left.
 * - A provider that reconnects within its own stream is not left for that: its own gap record says what it missed. Three losses without
 *   `failBackAfterMs` of health in between are too many.
 * - One that was silent must send a record before it counts as well again, and one whose breaker has opened must be live. So an
 *   outage of all providers moves nothing to and fro.
 * - `spell` of a provider says how it spells a symbol of the request; one that it does not have is not asked of it.
 *
 * @example
 * ```ts
 * import { providerRouter, type Provider } from 'sluice/providers';
 *
 * declare const ibkr: Provider;
 * declare const massive: Provider;
 * providerRouter({
 *   providers: [ibkr, massive],
 *   strategy: 'failover',
 *   kinds: ['trade', 'quote'],
 *   symbols: ['AAPL', 'MSFT'],
 *   staleAfterMs: 60_000,
 *   onSwitch: ({ from, to, reason }) => console.warn(`${from} is ${reason}: ${to} delivers`),
 * }).subscribe((record) => console.log(record));
 * ```
 */
export function providerRouter(config: ProviderRouterConfig): Observable<MarketEvent> {
  const settings = readRouterConfig(config);
  const { name, symbols, scheduler } = settings;
  return fanIn<MarketEvent>({ kind: 'providerRouter', name }, (flow) => {
    const { destination, downstream } = flow;
    const run = new RouterRun(settings, flow);
    const stop = StopSignal.of(downstream.stopping);
    const deafen = stop.listen(() => run.stop());
    const start = () => {
      // Not at once: a `repeat()` would subscribe again inside it, and so on until the stack overflows.
      if (stop.hasFired) {
        destination.add(scheduler.schedule(() => run.stop()));
        return;
      }
      if (!isObservable(symbols)) {
        run.want(readSymbolSet(symbols));
        return;
      }
      destination.add(
        symbols.subscribe({
          next(set) {
            try {
              run.want(readSymbolSet(set));
            } catch (error) {
              run.fail(error);
            }
          },
          error: (error) => run.fail(error),
          // The last set stays; without one there is nothing to wait for.
          complete: () => void (run.isIdle && run.stop()),
        }),
      );
    };
    const finalize = () => {
      deafen();
      run.release();
    };
    return { start, finalize, held: () => run.held };
  });
}
