import { expect, it } from 'vitest';
import { readReport } from './fundamentalReports.js';
import { readXml } from './xml.js';

it('reads earnings, dividends and revenue of a summary, and of two figures of a period the better one', () => {
  const xml = `<?xml version="1.0"?>
    <FinancialSummary>
      <!-- written for this test -->
      <EPSs currency="USD">
        <EPS asofDate="2025-12-31" reportType="TTM" period="12M">6.5</EPS>
        <EPS asofDate="2025-12-31" reportType="P" period="3M">1.6</EPS>
        <EPS asofDate="2025-12-31" reportType="R" period="3M">1.7</EPS>
        <EPS asofDate="2025-12-31" reportType="A" period="3M">1.65</EPS>
        <EPS asofDate="2025-12-31" reportType="A" period="12M"></EPS>
        <EPS asofDate="yesterday" reportType="A" period="12M">1</EPS>
      </EPSs>
      <TotalRevenues currency="EUR"><TotalRevenue asofDate="2025-12-31" reportType="A" period="12M">391035000000.0</TotalRevenue></TotalRevenues>
      <Dividends currency="USD"><Dividend type="CD" exDate="2025-11-10">0.26</Dividend></Dividends>
    </FinancialSummary>`;
  const common = { kind: 'fundamental', vendor: 'ibkr', symbol: 'AAPL', periodEnd: '2025-12-31' };
  expect(readReport('AAPL', 'USD', xml)).toEqual([
    { ...common, timeframe: 'ttm', metric: 'EPS', value: 6.5, unit: 'USD/share' },
    { ...common, timeframe: 'quarterly', metric: 'EPS', value: 1.7, unit: 'USD/share' },
    { ...common, timeframe: 'annual', metric: 'TotalRevenue', value: 391_035_000_000, unit: 'EUR' },
  ]);
});

it('reads the ratios of a snapshot that are known', () => {
  const xml = `<ReportSnapshot><Ratios PriceCurrency="USD" LatestAvailableDate="2025-12-31"><Group ID="x">
    <Ratio FieldName="TTMREV" Type="N">391035.0</Ratio><Ratio FieldName="PEEXCLXOR" Type="N">31.25</Ratio>
    <Ratio FieldName="LATESTADATE" Type="D">2025-12-31</Ratio><Ratio FieldName="NA" Type="N">-99999.99</Ratio>
  </Group></Ratios></ReportSnapshot>`;
  expect(readReport('AAPL', 'USD', xml)).toMatchObject([
    { metric: 'TTMREV', timeframe: 'ttm', value: 391_035 },
    { metric: 'PEEXCLXOR', timeframe: 'latest', value: 31.25 },
  ]);
});

it.each([
  ['', 'no root'],
  ['words', 'text outside of the root'],
  ['<a><b></a>', '</a> closes nothing'],
  ['<a>', '<a> is not closed'],
  ['<a/><b/>', 'more than one root'],
  ['<a x=1/>', 'no XML at character 0'],
  ['<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', 'no XML at character 0'],
  [`${'<a>'.repeat(65)}`, 'more than 64 levels'],
  ['<a/>', undefined],
])('says of %j what is wrong', (xml, problem) => {
  expect(readXml(xml, { open() {}, close() {} })).toBe(problem);
  expect(typeof readReport('AAPL', 'USD', xml)).toBe('string');
});

it('decodes entities, and leaves those that it does not know as they are', () => {
  const texts: string[] = [];
  readXml('<a b="&quot;&#65;">&lt;&#x42;&amp;&b;&#0;<![CDATA[<&>]]></a>', {
    open: (_, { b = '' }) => void texts.push(b),
    close: (_, text) => void texts.push(text),
  });
  expect(texts).toEqual(['"A', '<B&&b;&#0;<&>']);
});

it('does not search a text again and again, whatever is in it', () => {
  for (const part of ['<', '<a ', '&#', '<a x="', '<!--', '<![CDATA[', 'x', '<a>']) {
    expect(readXml(part.repeat(200_000), { open() {}, close() {} })).not.toBeUndefined();
  }
});
