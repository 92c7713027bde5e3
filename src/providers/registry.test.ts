import { describe, expect, it, vi } from 'vitest';
import { alpaca } from './alpaca/index.js';
import { ibkr } from './ibkr/index.js';
import { massive } from './massive/index.js';
import { findProvider, PROVIDERS, type ProviderChoiceError } from './registry.js';

vi.mock('./massive/index.js', { spy: true });
vi.mock('./alpaca/index.js', { spy: true });
vi.mock('./ibkr/index.js', { spy: true });

const all = PROVIDERS.map((entry) => [entry.name, entry] as const);
const requiredOf = (name: string) => {
  const required = findProvider(name).entry.variables.filter(({ isRequired }) => isRequired);
  return Object.fromEntries(required.map((variable) => [variable.name, '1']));
};

describe.each(all)('the entry of %s', (name, entry) => {
  it('says what the provider says of itself', async () => {
    const provider = await entry.create({ variables: requiredOf(name) });
    expect(provider.name).toBe(name);
    expect(entry.kinds).toEqual(provider.kinds);
  });

  it('needs no key to play a capture', async () => {
    expect((await entry.create({ isReplay: true })).name).toBe(name);
  });

  it('says what is wrong with an address, and loads nothing else', async () => {
    await expect(entry.create({ url: 'nonsense', variables: requiredOf(name) })).rejects.toMatchObject({
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

  it.each<[string, string, string, string]>([
    ['massive', 'MASSIVE_MARKET', 'cripto', 'stocks, options, indices, forex, crypto, futures'],
    ['massive', 'MASSIVE_DELAYED', 'yes', 'true, false'],
    ['alpaca', 'ALPACA_FEED', 'SIP', 'iex, sip, delayed_sip, boats, overnight, test, crypto'],
    ['ibkr', 'IBKR_MARKET_DATA_TYPE', 'late', 'live, frozen, delayed, delayed-frozen'],
  ])('of %s says what %s may be', async (name, variable, value, known) => {
    const variables = { ...requiredOf(name), [variable]: value };
    await expect(findProvider(name).entry.create({ variables })).rejects.toMatchObject({
      code: 'SLUICE_PROVIDER_CHOICE',
      message: `${variable} must be one of ${known}, got "${value}"`,
    });
  });

  it.each<[string, Readonly<Record<string, string>>, unknown, object]>([
    ['massive', { MASSIVE_MARKET: 'forex', MASSIVE_DELAYED: 'true' }, massive, { market: 'forex', delayed: true }],
    ['massive', { MASSIVE_DELAYED: 'false' }, massive, { delayed: false }],
    ['alpaca', { ALPACA_FEED: 'sip' }, alpaca, { feed: 'sip' }],
    ['ibkr', { IBKR_MARKET_DATA_TYPE: 'delayed' }, ibkr, { marketDataType: 'delayed' }],
  ])('of %s is made with %j', async (name, given, make, config) => {
    await findProvider(name).entry.create({ variables: { ...requiredOf(name), ...given } });
    expect(make).toHaveBeenLastCalledWith(expect.objectContaining(config));
  });

  it('quotes a variable that is no number', async () => {
    await expect(findProvider('ibkr').entry.create({ variables: { IBKR_PORT: '7497x' } })).rejects.toThrow(
      'IBKR_PORT must be an integer, got "7497x"',
    );
  });
});
