import { describe, expect, it } from 'vitest';
import { wrongField } from './wrongField.js';

describe('wrongField', () => {
  it('quotes what there is, and no more than a person reads', () => {
    expect(wrongField('p', 'a price', 'many').reason).toBe('p must be a price, got "many"');
    expect(wrongField('p', 'a price', undefined).reason).toBe('p must be a price, got nothing');
    expect(wrongField('p', 'a price', 'x'.repeat(500)).reason.length).toBeLessThan(120);
  });

  it('makes no text of what is too deep for the stack', () => {
    const deep: unknown = JSON.parse(`${'['.repeat(50_000)}${']'.repeat(50_000)}`);
    expect(wrongField('p', 'a price', deep).reason).toBe('p must be a price, got an array');
    expect(wrongField('p', 'a price', { deep }).reason).toBe('p must be a price, got object');
  });
});
