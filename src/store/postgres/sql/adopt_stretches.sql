-- Notes the latest times of events that others recorded, a row for a thousand of them. $1: the position before the first,
-- $2: the last, $3: the latest time before all that are being noted.
INSERT INTO annals_foreign (first_position, last_position, latest)
SELECT $1::bigint + 1 + 1000 * stretch, least($1::bigint + 1000 * (stretch + 1), $2::bigint),
       greatest($3::timestamptz, (SELECT latest FROM annals_foreign ORDER BY last_position DESC LIMIT 1),
                max(max(e.created_at)) OVER (ORDER BY stretch))
FROM (
  SELECT a.event_id, (a.stream_version - $1::bigint - 1) / 1000 AS stretch
  FROM stream_events AS a
  WHERE a.stream_id = 0 AND a.stream_version > $1::bigint AND a.stream_version <= $2::bigint
) AS placed
JOIN events AS e ON e.event_id = placed.event_id
GROUP BY stretch
