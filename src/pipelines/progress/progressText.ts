import { count } from '../../primitives/count.js';

const MIN_BAR = 8;
const MAX_BAR = 40;

/**
 * A bar with its percentage, then these parts as far as they fit, the more important ones first; each is left out as a whole. The
 * bar takes the room that is left.
 */
export function barLine(share: number, parts: readonly string[], width: number): string {
  const part = Math.min(1, Math.max(0, share));
  // Not full before all is done.
  const percent = `${String(Math.floor(part * 100)).padStart(3)}%`;
  let text = ` ${percent}`;
  for (const one of parts) {
    if (one !== '' && MIN_BAR + text.length + 2 + one.length <= width) text += `  ${one}`;
  }
  const cells = Math.max(0, Math.min(MAX_BAR, width - text.length));
  const full = Math.floor(part * cells);
  return `${'█'.repeat(full)}${'░'.repeat(cells - full)}${text}`;
}

/** Those of the parts that fit, the more important ones first. */
export function plainLine(parts: readonly string[], width = Number.POSITIVE_INFINITY): string {
  let text = '';
  for (const one of parts) {
    const next = text === '' ? one : `${text}, ${one}`;
    if (one !== '' && next.length <= width) text = next;
  }
  return text;
}

/** `8 s`, `3 min 20 s`, `2 h 5 min`. */
export function spanText(ms: number): string {
  const seconds = Math.max(1, Math.round(ms / 1_000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${seconds % 60} s`;
  return `${count(Math.floor(minutes / 60))} h ${minutes % 60} min`;
}

/** `12,345/s`; of slow ones with a fraction. */
export function rateText(perSecond: number): string {
  return `${perSecond >= 10 || perSecond === 0 ? count(Math.round(perSecond)) : perSecond.toFixed(1)}/s`;
}
