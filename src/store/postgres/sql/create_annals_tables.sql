-- What Annals keeps beside the published schema; the original service knows nothing of it.
--
-- annals_store: one row, locked by each append. last_position: up to where events are accounted for here; what the
-- original recorded since lies beyond. last_stamp: the latest time of those. settled: nobody stamps at or before it.
CREATE TABLE IF NOT EXISTS annals_store (
  only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
  last_position bigint NOT NULL,
  last_stamp timestamptz NOT NULL,
  settled timestamptz NOT NULL,
  node_id bigint NOT NULL
);
INSERT INTO annals_store VALUES (true, 0, '-infinity', '-infinity', 0) ON CONFLICT DO NOTHING;

-- The epochs of cursors, in the order in which they began, each after a position.
CREATE TABLE IF NOT EXISTS annals_epochs (
  before_position bigint PRIMARY KEY,
  number bigint NOT NULL,
  begun_at timestamptz NOT NULL DEFAULT now()
);

-- Which server recorded the events from a position on; 0 is the original service.
CREATE TABLE IF NOT EXISTS annals_writers (
  first_position bigint PRIMARY KEY,
  node_id bigint NOT NULL
);

-- Events that others recorded, whose times need not rise: the latest time of everything up to the last of a stretch.
CREATE TABLE IF NOT EXISTS annals_foreign (
  first_position bigint NOT NULL,
  last_position bigint PRIMARY KEY,
  latest timestamptz NOT NULL
);
