-- The version that a stream had at a position. $1: its name, $2: the position.
WITH RECURSIVE
stream AS (
  SELECT stream_id, stream_version FROM streams WHERE stream_uuid = $1::text AND stream_id <> 0
),
search (low, high) AS (
  SELECT 1::bigint, stream_version + 1 FROM stream
  UNION ALL
  SELECT CASE WHEN earlier THEN middle + 1 ELSE low END, CASE WHEN earlier THEN high ELSE middle END
  FROM (
    SELECT low, high, (low + high) / 2 AS middle,
           coalesce((SELECT a.stream_version <= $2::bigint
                     FROM stream_events AS own
                     JOIN stream_events AS a ON a.event_id = own.event_id AND a.stream_id = 0
                     WHERE own.stream_id = (SELECT stream_id FROM stream) AND own.stream_version >= (low + high) / 2
                       AND own.stream_version < high
                     ORDER BY own.stream_version LIMIT 1), false) AS earlier
    FROM search WHERE low < high
  ) AS step
)
SELECT coalesce(max(low) - 1, 0) FROM search WHERE low >= high
