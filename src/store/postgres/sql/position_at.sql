-- The position of the last event before the first one that is later than $1. Events by Annals have times that rise with
-- the position and are later than all before them; those of others lie in stretches whose latest time is known, but for
-- the ones that were recorded since an append of ours, which are few.
WITH RECURSIVE
known AS (
  SELECT last_position FROM annals_store
),
stretch AS (
  SELECT first_position, last_position FROM annals_foreign WHERE latest > $1::timestamptz ORDER BY last_position LIMIT 1
),
bounds AS (
  SELECT coalesce((SELECT max(last_position) FROM annals_foreign WHERE latest <= $1::timestamptz), 0) + 1 AS low,
         coalesce((SELECT first_position FROM stretch), (SELECT last_position FROM known) + 1) AS high
),
search (low, high) AS (
  SELECT low, high FROM bounds
  UNION ALL
  SELECT CASE WHEN earlier THEN middle + 1 ELSE low END, CASE WHEN earlier THEN high ELSE middle END
  FROM (
    SELECT low, high, (low + high) / 2 AS middle,
           coalesce((SELECT e.created_at <= $1::timestamptz
                     FROM stream_events AS a
                     JOIN events AS e ON e.event_id = a.event_id
                     WHERE a.stream_id = 0 AND a.stream_version >= (low + high) / 2 AND a.stream_version < high
                     ORDER BY a.stream_version LIMIT 1), false) AS earlier
    FROM search WHERE low < high
  ) AS step
),
ours AS (
  SELECT max(low) AS later FROM search WHERE low >= high
),
before AS (
  SELECT CASE
           WHEN ours.later < bounds.high THEN ours.later - 1
           ELSE coalesce(
             (SELECT min(a.stream_version) - 1
              FROM stream_events AS a
              JOIN events AS e ON e.event_id = a.event_id
              WHERE a.stream_id = 0 AND a.stream_version >= bounds.high
                AND least(e.created_at, '9999-01-01 00:00:00+00'::timestamptz) > $1::timestamptz
                AND a.stream_version <= coalesce((SELECT last_position FROM stretch), 9223372036854775807)),
             (SELECT stream_version FROM streams WHERE stream_id = 0))
         END AS position
  FROM ours, bounds
)
-- Which may hold no event any more.
SELECT coalesce((SELECT a.stream_version
                 FROM stream_events AS a
                 WHERE a.stream_id = 0 AND a.stream_version <= before.position
                 ORDER BY a.stream_version DESC LIMIT 1), 0)
FROM before
