-- One row an item of a vendor, by the vendor's own id.
CREATE TABLE IF NOT EXISTS news (
  vendor       text             NOT NULL,
  id           text             NOT NULL,
  published_at timestamptz      NOT NULL,
  title        text             NOT NULL,
  url          text             NOT NULL,
  symbols      text[]           NOT NULL,
  sentiment    double precision,
  seq          bigint           NOT NULL,
  PRIMARY KEY (vendor, id)
);

-- The key says nothing of time and symbol, and those are what news are looked up by.
CREATE INDEX IF NOT EXISTS news_published_at ON news (published_at);
CREATE INDEX IF NOT EXISTS news_symbols ON news USING gin (symbols);
