import { describe, expect, it } from 'vitest';
import { findProvider, PROVIDERS, type ProviderChoiceError } from './registry.js';

const all = PROVIDERS.map((entry) => [entry.name, entry] as const);
const keysOf = (name: string) =>
  Object.fromEntries(findProvider(name).entry.variables.map((variable) => [variable.name, '1']));

describe.each(all)('the entry of %s', (name, entry) => {
  it('says what the provider says of itself', async () => {
    const provider = await entry.create({ variables: keysOf(name) });
    expect(provider.name).toBe(name);
    expect(entry.kinds).toEqual(provider.kinds);
  });

  it('needs no key to play a capture', async () => {
    expect((await entry.create({ isReplay: true })).name).toBe(name);
  });

  it('says what is wrong with an address, and loads nothing else', async () => {
    await expect(entry.create({ url: 'nonsense', variables: keysOf(name) })).rejects.toMatchObject({
      code: 'SLUICE_PROVIDER_CHOICE',
      message: expect.stringMatching(/url/i),
    } satisfies Partial<ProviderChoiceError>);
  });
});

describe('a provider of the registry', () => {
  it('is found by its name', () => {
    expect(findProvider('coinbase')).toEqual({ entry: expect.objectContaining({ name: 'coinbase' }) });
  });

  it('is found by another name, which says so', () => {
    expect(findProvider('polygon')).toEqual({
      entry: expect.objectContaining({ name: 'massive' }),
      notice: 'polygon is another name for the provider massive',
    });
  });

  it('says the names that there are', () => {
    expect(() => findProvider('coinbse')).toThrow(
      /^there is no provider "coinbse" \(did you mean coinbase\? expected one of: massive, polygon, ibkr, binance, coinbase, alpaca\)$/,
    );
  });

  it('names each variable that is missing', async () => {
    await expect(findProvider('alpaca').entry.create()).rejects.toThrow(
      'alpaca needs ALPACA_KEY_ID (the key of the account) and ALPACA_SECRET_KEY (its secret): set it in the environment or in .env',
    );
  });

  it('quotes a variable that is no number', async () => {
    await expect(findProvider('ibkr').entry.create({ variables: { IBKR_PORT: '7497x' } })).rejects.toThrow(
      'IBKR_PORT must be an integer, got "7497x"',
    );
  });
});
