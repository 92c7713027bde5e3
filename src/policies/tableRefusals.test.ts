import { describe, expect, it } from 'vitest';
import { NO_PARTITION } from '../failures/failureHints.js';
import { isTableRefusedError, TableRefusals, TableRefusedError, Witness } from './tableRefusals.js';

describe('TableRefusals', () => {
  it('suspects the table after five rows in a row were refused by one rule', () => {
    const refusals = new TableRefusals();
    expect(Array.from({ length: 6 }, () => refusals.refused('price'))).toEqual([
      false,
      false,
      false,
      false,
      true,
      true,
    ]);
    expect(refusals.isBlamed).toBe(false);
  });

  it('counts anew at another rule, and when a row was committed', () => {
    const refusals = new TableRefusals();
    for (let i = 0; i < 4; i++) refusals.refused('price');
    expect(refusals.refused('venue')).toBe(false);
    for (let i = 0; i < 3; i++) expect(refusals.refused('venue')).toBe(false);
    refusals.accepted();
    for (let i = 0; i < 4; i++) expect(refusals.refused('venue')).toBe(false);
    expect(refusals.refused('venue')).toBe(true);
  });

  it('takes every refusal by a rule for the table’s once that is blamed, until it takes a row', () => {
    const refusals = new TableRefusals();
    expect(refusals.blames('price')).toBe(false);
    refusals.blame();
    expect(refusals.isBlamed).toBe(true);
    expect(refusals.blames('price')).toBe(true);
    expect(refusals.blames(undefined)).toBe(false);
    expect(refusals.refused('another rule')).toBe(true);
    refusals.accepted();
    expect(refusals.isBlamed).toBe(false);
    expect(refusals.blames('price')).toBe(false);
  });
});

describe('Witness', () => {
  it('is the item that was committed last', () => {
    const witness = new Witness();
    expect(witness.items).toEqual([]);
    witness.saw(['a', 'b']);
    expect(witness.items).toEqual(['b']);
    witness.saw(['c']);
    expect(witness.items).toEqual(['c']);
  });

  it('speaks of rules, once there is one, but not of a missing partition', () => {
    const witness = new Witness();
    expect(witness.canSpeakOf('price')).toBe(false);
    witness.saw(['a']);
    expect(witness.canSpeakOf('price')).toBe(true);
    expect(witness.canSpeakOf(undefined)).toBe(false);
    expect(witness.canSpeakOf(NO_PARTITION)).toBe(false);
  });
});

describe('TableRefusedError', () => {
  const cause = new Error('no partition of relation "bars" found for row');
  const errorOf = () => new TableRefusedError('23514', { cause });

  it('names the rule and the cause, and says that nothing is lost', () => {
    const error = errorOf();
    expect(error).toMatchObject({
      name: 'TableRefusedError',
      code: 'SLUICE_TABLE_REFUSED',
      failureClass: 'transient',
      refusal: '23514',
      cause,
    });
    expect(error.message).toContain('refused by 23514');
    expect(error.message).toContain('no partition of relation');
    expect(error.message).toContain('Nothing is given up');
  });

  it('is recognised by its code, also from another copy of the package', () => {
    expect(isTableRefusedError(errorOf())).toBe(true);
    expect(isTableRefusedError(Object.assign(new Error('x'), { code: 'SLUICE_TABLE_REFUSED' }))).toBe(true);
    expect(isTableRefusedError(cause)).toBe(false);
    expect(isTableRefusedError({ code: 'SLUICE_TABLE_REFUSED' })).toBe(false);
  });
});
