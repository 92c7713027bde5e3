import { GatewayHistory } from './gatewayHistory.js';
import { errorMessage } from './gatewayMessages.js';
import type { GatewayPeer, Held } from './gatewayPeer.js';
import type { ContractRequest, GatewayRequest } from './gatewayRequest.js';
import { detailsMessage, type Instrument, Instruments } from './instruments.js';

/** Answers requests about contracts. */
export class GatewayDesk {
  readonly history = new GatewayHistory();
  readonly ignored = new Set<string>();
  readonly refused = new Set<string>();
  readonly ambiguous = new Map<string, number>();
  rejection: 'credentials' | 'entitlement' | undefined;
  readonly #now: () => number;
  readonly #instruments = new Instruments();
  #failures: { readonly kind: string; readonly code: number; readonly text: string }[] = [];

  /** Requests of the past whose answers are kept. */
  #unanswered: { readonly peer: GatewayPeer; readonly request: ContractRequest }[] = [];
  #isHolding = false;

  constructor(now: () => number) {
    this.#now = now;
  }

  failNext(kind: string, code: number, text: string, times: number): void {
    for (let left = times; left > 0; left -= 1) this.#failures.push({ kind, code, text });
  }

  /** How a subscription is named: `ticks AllLast AAPL`, `bars AAPL`, `history 1 min AAPL`. */
  nameOf({ request: { is, args }, instrument }: Held): string {
    const [name = ''] = instrument.names;
    if (is === 'ticks') return `ticks ${args[0]} ${name}`;
    return is === 'history' ? `history ${args[2]} ${name}` : `${is} ${name}`;
  }

  /** How many requests of the past are not answered. */
  get open(): number {
    return this.#unanswered.length;
  }

  /** Keeps the answers to requests of the past, or gives those that were kept. */
  hold(on: boolean): void {
    this.#isHolding = on;
    if (on) return;
    const kept = this.#unanswered;
    this.#unanswered = [];
    for (const { peer, request } of kept) this.answer(peer, request);
  }

  cancel(peer: GatewayPeer, id: number): void {
    peer.held.delete(id);
    this.#unanswered = this.#unanswered.filter((one) => one.peer !== peer || one.request.id !== id);
  }

  left(peer: GatewayPeer): void {
    this.#unanswered = this.#unanswered.filter((one) => one.peer !== peer);
  }

  answer(peer: GatewayPeer, request: ContractRequest): void {
    if (this.#isHolding && isOfThePast(request)) {
      this.#unanswered.push({ peer, request });
      return;
    }
    const { is, id } = request;
    const failure = this.#failures.findIndex(({ kind }) => kind === is);
    const instrument = this.#instruments.find(request.contract);
    if (failure >= 0) {
      const [{ code, text } = { code: 0, text: '' }] = this.#failures.splice(failure, 1);
      peer.send(errorMessage(id, code, text));
    } else if (!instrument || hasAny(instrument, this.refused)) {
      peer.send(errorMessage(id, 200, 'No security definition has been found for the request'));
    } else if (is === 'details') {
      this.#details(peer, id, instrument);
    } else if (this.rejection !== undefined) {
      peer.send(errorMessage(id, 354, 'Requested market data is not subscribed.'));
    } else {
      if (isHeld(request) && !isSnapshot(request)) peer.held.set(id, { request, instrument });
      if (is === 'marketData') peer.send([58, 1, id, 1]);
      if (is === 'marketData') peer.send([81, id, 0.01, 'NMS0', 3]);
      for (const message of this.history.answer(request, instrument, this.#now())) peer.send(message);
      if (isSnapshot(request)) peer.send([57, 1, id]);
    }
  }

  #details(peer: GatewayPeer, id: number, instrument: Instrument): void {
    if (hasAny(instrument, this.ignored)) return;
    const [name = ''] = instrument.names;
    const copies = this.ambiguous.get(name) ?? 1;
    for (let copy = 0; copy < copies; copy += 1) peer.send(detailsMessage(id, instrument, copy));
    peer.send([52, 1, id]);
  }
}

/** Whether it asks for what is past, rather than to be kept up to date. */
export function isOfThePast(request: GatewayRequest): request is ContractRequest {
  return (request.is === 'history' && request.args[7] !== '1') || request.is === 'pastTicks';
}

/** Whether it goes on until it is cancelled. */
function isHeld({ is, args }: ContractRequest): boolean {
  return is === 'bars' || is === 'ticks' || is === 'marketData' || (is === 'history' && args[7] === '1');
}

const isSnapshot = ({ is, args }: ContractRequest): boolean => is === 'marketData' && args[2] === '1';

function hasAny({ names }: Instrument, symbols: ReadonlySet<string>): boolean {
  for (const name of names) if (symbols.has(name)) return true;
  return false;
}
