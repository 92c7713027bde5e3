import { hashKey, mix32 } from '../../primitives/hashKey.js';

/**
 * Which of these names a symbol belongs to: the one whose hash together with it is the highest ("A Name-Based Mapping Scheme for
 * Rendezvous", Thaler and Ravishankar, 1996). When a name goes, only its symbols move, spread over the others; when it comes back, so do
 * they. `names` has at least one.
 */
export function rendezvous(symbol: string, names: readonly string[]): string {
  const ofSymbol = Math.imul(hashKey(symbol), 0x9e3779b1);
  let best = names[0]!;
  let highest = -1;
  for (const name of names) {
    const score = mix32(hashKey(name) ^ ofSymbol) >>> 0;
    if (score < highest || (score === highest && name > best)) continue;
    best = name;
    highest = score;
  }
  return best;
}
