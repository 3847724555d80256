-- What Annals keeps beside the published schema; the original service knows nothing of it. Of tables that were lost, as by
-- a restore of some of them, what is known is made again from those that are left and the events.
--
-- Without annals_foreign all events are accounted for once more, as if others had recorded them.
DO $$
BEGIN
  IF to_regclass('annals_store') IS NOT NULL AND to_regclass('annals_foreign') IS NULL THEN
    UPDATE annals_store SET last_position = 0, last_stamp = '-infinity', node_id = 0;
  END IF;
END
$$;

-- annals_store: one row, locked by each append. last_position: up to where events are accounted for here; what the
-- original recorded since lies beyond. last_stamp: the latest time of those. settled: nobody stamps at or before it.
CREATE TABLE IF NOT EXISTS annals_store (
  only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
  last_position bigint NOT NULL,
  last_stamp timestamptz NOT NULL,
  settled timestamptz NOT NULL,
  node_id bigint NOT NULL
);

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

-- Without annals_store they are accounted for from where the stretches end.
INSERT INTO annals_store
SELECT true, coalesce(max(last_position), 0), coalesce(max(latest), '-infinity'), '-infinity', 0 FROM annals_foreign
ON CONFLICT DO NOTHING;

-- Who wrote the events that are there, annals_writers tells; what others record behind them is not of the last of those.
INSERT INTO annals_writers
SELECT all_events.stream_version + 1, 0
FROM streams AS all_events, annals_store AS store
WHERE all_events.stream_id = 0 AND store.node_id = 0
  AND (SELECT node_id FROM annals_writers ORDER BY first_position DESC LIMIT 1) <> 0
ON CONFLICT DO NOTHING
