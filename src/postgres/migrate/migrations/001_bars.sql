-- One row a vendor, symbol, timeframe and start. The same table that barsSink makes: a store that it made is taken over.
CREATE TABLE IF NOT EXISTS bars (
  vendor    text             NOT NULL,
  symbol    text             NOT NULL,
  timeframe text             NOT NULL,
  ts        timestamptz      NOT NULL,
  open      double precision NOT NULL,
  high      double precision NOT NULL,
  low       double precision NOT NULL,
  close     double precision NOT NULL,
  volume    double precision NOT NULL,
  seq       bigint           NOT NULL,
  PRIMARY KEY (vendor, symbol, timeframe, ts)
);
