-- One row a figure: a vendor, symbol, period and metric.
CREATE TABLE IF NOT EXISTS fundamentals (
  vendor      text             NOT NULL,
  symbol      text             NOT NULL,
  period_end  date             NOT NULL,
  timeframe   text             NOT NULL,
  metric      text             NOT NULL,
  value       double precision NOT NULL,
  unit        text             NOT NULL,
  filing_date date,
  seq         bigint           NOT NULL,
  PRIMARY KEY (vendor, symbol, period_end, timeframe, metric)
);
