-- Notes the latest times of the next 10,000 events that others recorded, a row for a thousand of them; each row goes on
-- where the one before it ended, whatever positions have no event. $1: the position before the first, $2: the last, $3:
-- the latest time before all that are being noted. A time beyond 9999-01-01 counts as that.
INSERT INTO annals_foreign (first_position, last_position, latest)
SELECT coalesce(lag(max(position)) OVER (ORDER BY stretch), $1::bigint) + 1, max(position),
       greatest($3::timestamptz, (SELECT latest FROM annals_foreign ORDER BY last_position DESC LIMIT 1),
                max(max(least(created_at, '9999-01-01 00:00:00+00'::timestamptz))) OVER (ORDER BY stretch))
FROM (
  SELECT placed.stream_version AS position, e.created_at,
         (row_number() OVER (ORDER BY placed.stream_version) - 1) / 1000 AS stretch
  FROM (
    SELECT a.event_id, a.stream_version
    FROM stream_events AS a
    WHERE a.stream_id = 0 AND a.stream_version > $1::bigint AND a.stream_version <= $2::bigint
    ORDER BY a.stream_version
    LIMIT 10000
  ) AS placed
  JOIN events AS e ON e.event_id = placed.event_id
) AS dated
GROUP BY stretch
ON CONFLICT (last_position) DO UPDATE SET first_position = excluded.first_position, latest = excluded.latest
