import type { Frame } from '../../../providers/session.js';
import type { VenueSocket } from '../venueSocket.js';
import { type Cluster, isCluster, type WireElement } from './wire.js';

/** https://massive.com/docs/websocket/quickstart; words of refusals as published by users of the vendor. */
export const WORDS = {
  connected: 'Connected Successfully',
  loggedIn: 'authenticated',
  wrongKey: 'authentication failed',
  wrongPlan: "Your plan doesn't include websocket access. Visit https://massive.com/pricing to upgrade.",
  noLogin: 'No authentication request received.',
  tooMany:
    'Maximum number of websocket connections exceeded. You have reached the connection limit for your account. Please contact support.',
  refused: 'not authorized',
  nonsense: 'invalid request',
};

export const POLICY_VIOLATION = 1008;
const MAX_OPTION_QUOTES = 1_000;

export function isAllowed(socket: VenueSocket, cluster: Cluster, channel: string, ticker: string): boolean {
  if (cluster !== 'options' || channel !== 'Q') return true;
  const quotes = [...socket.subscriptions].filter((slot) => slot.startsWith('Q.')).length;
  return ticker !== '*' && quotes < MAX_OPTION_QUOTES;
}

export function statusOf(status: string, message: string): WireElement {
  return { ev: 'status', status, message };
}

/** Every frame of the vendor is an array. */
export function frameOf(elements: readonly WireElement[]): string {
  return JSON.stringify(elements);
}

export function clusterName(path: string): string {
  return path.split(/[/?]/)[1] ?? '';
}

export function clusterOf({ path }: VenueSocket): Cluster {
  const name = clusterName(path);
  return isCluster(name) ? name : 'stocks';
}

/** Tickers have dots: only the first one ends the channel. Pairs of currencies may be written with a dash. */
export function partsOf(slot: string): { readonly channel: string; readonly ticker: string } {
  const dot = slot.indexOf('.');
  return dot < 0 ? { channel: slot, ticker: '' } : { channel: slot.slice(0, dot), ticker: slot.slice(dot + 1) };
}

export function readMessage(frame: Frame): { readonly action?: string; readonly params?: string | undefined } {
  try {
    const message = JSON.parse(String(frame)) as { readonly action?: string; readonly params?: unknown } | null;
    const params = typeof message?.params === 'string' ? message.params : undefined;
    return { ...(typeof message?.action === 'string' && { action: message.action }), params };
  } catch {
    return {};
  }
}
