-- One row a contract and instant. What a vendor leaves out of a snapshot is null, not zero.
CREATE TABLE IF NOT EXISTS options_snap (
  vendor           text             NOT NULL,
  symbol           text             NOT NULL,
  expiry           date             NOT NULL,
  option_type      text             NOT NULL,
  strike           double precision NOT NULL,
  ts               timestamptz      NOT NULL,
  bid              double precision,
  ask              double precision,
  last             double precision,
  iv               double precision,
  delta            double precision,
  gamma            double precision,
  theta            double precision,
  vega             double precision,
  open_interest    double precision,
  volume           double precision,
  underlying_price double precision,
  seq              bigint           NOT NULL,
  PRIMARY KEY (vendor, symbol, expiry, option_type, strike, ts)
);
