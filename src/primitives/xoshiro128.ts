import { mix32 } from './hashKey.js';

/**
 * Random 32-bit numbers from a seed. They are the same on every machine, because only integer arithmetic is used.
 *
 * xoshiro128** 1.1 by Blackman and Vigna (https://prng.di.unimi.it/xoshiro128starstar.c, public domain). Not for secrets.
 */
export class Xoshiro128 {
  #a: number;
  #b: number;
  #c: number;
  #d: number;

  constructor(a: number, b: number, c: number, d: number) {
    this.#a = a | 0;
    this.#b = b | 0;
    this.#c = c | 0;
    this.#d = d | 0;
  }

  /** Spreads a seed, any safe integer, over the state, by the finaliser of MurmurHash3 (Appleby) over a Weyl sequence. */
  static fromSeed(seed: number): Xoshiro128 {
    const high = Math.floor(seed / 0x1_0000_0000) | 0;
    const word = (n: number) =>
      mix32((seed | 0) + Math.imul(n, 0x9e3779b9)) ^ mix32(high + Math.imul(n + 4, 0x9e3779b9));
    return new Xoshiro128(word(1), word(2), word(3), word(4) || 1);
  }

  /** An integer from 0 to 2³² − 1. */
  uint32(): number {
    const b = this.#b;
    const product = Math.imul(b, 5);
    const result = Math.imul((product << 7) | (product >>> 25), 9) >>> 0;
    const c = this.#c ^ this.#a;
    const d = this.#d ^ b;
    this.#b = b ^ c;
    this.#a ^= d;
    this.#c = c ^ (b << 9);
    this.#d = (d << 11) | (d >>> 21);
    return result;
  }

  /** A number from 0, below 1. */
  unit(): number {
    return this.uint32() / 0x1_0000_0000;
  }

  /** An integer from 0, below `bound`, which is at most 2³². */
  below(bound: number): number {
    return Math.floor((this.uint32() / 0x1_0000_0000) * bound);
  }
}
