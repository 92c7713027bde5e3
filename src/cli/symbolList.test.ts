import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InvalidArgumentError } from 'commander';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fakeTerminal } from '../../test/support/fakeTerminal.js';
import { CommandContext, UsageError } from './commandContext.js';
import { symbolList, symbolsOf } from './symbolList.js';

let cwd: string;
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), 'sluice-symbols-'));
});
afterEach(() => rmSync(cwd, { recursive: true }));

const read = (text: string) =>
  symbolsOf(new CommandContext(fakeTerminal({ cwd }), () => ({ debug: false })), symbolList(text));

describe('symbolList', () => {
  it('keeps the symbols of the command line as they are spelled, each once', () => {
    expect(read('BRK.B, btc-usd,BRK.B,*')).toEqual(['BRK.B', 'btc-usd', '*']);
  });

  it('reads a file with one symbol per line, or several, and comments', () => {
    writeFileSync(
      join(cwd, 'list.txt'),
      '\uFEFF# equities\r\nAAPL\r\nMSFT,NVDA # three\n\nO:SPY251219C00650000\nAAPL\nA#B\n',
    );
    expect(read('@list.txt')).toEqual(['AAPL', 'MSFT', 'NVDA', 'O:SPY251219C00650000', 'A#B']);
  });

  it('keeps symbols as the vendor spells them, in a file too', () => {
    const symbols = ['BRK B', 'BRK.B', 'BF/B', 'TpC', 'TPC', 'rb2405', '^GSPC', 'ES=F', '#AAPL'];
    expect(read(symbols.join(', '))).toEqual(symbols);
    writeFileSync(join(cwd, 'list.txt'), `#AAPL is none\n${symbols.join('\n').replace('#', '\\#')} # the last\n`);
    expect(read('@list.txt')).toEqual(symbols);
  });

  it.each(['', 'A,,B', '@'])('refuses %j', (text) => expect(() => read(text)).toThrow(InvalidArgumentError));

  it('says what is wrong with a file', () => {
    writeFileSync(join(cwd, 'empty.txt'), '# none\n\n');
    expect(() => read('@empty.txt')).toThrow(new UsageError(`there is no symbol in ${join(cwd, 'empty.txt')}`));
    expect(() => read('@none.txt')).toThrow(/^cannot read the symbols in .*none\.txt: ./);
    expect(() => read('@.')).toThrow(UsageError);
  });
});
