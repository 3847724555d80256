-- After that: they are accounted for up to the last that was noted, or up to the end when there are no more; their latest
-- time is the last. $1: the last position.
UPDATE annals_store
SET last_position = CASE WHEN EXISTS (SELECT FROM stream_events AS left_over
                                      WHERE left_over.stream_id = 0 AND left_over.stream_version <= $1::bigint
                                        AND left_over.stream_version > greatest(annals_store.last_position, noted.position))
                         THEN greatest(annals_store.last_position, noted.position)
                         ELSE $1::bigint END,
    node_id = 0,
    last_stamp = greatest(last_stamp, noted.latest)
FROM (
  SELECT (SELECT last_position FROM annals_foreign ORDER BY last_position DESC LIMIT 1) AS position,
         (SELECT latest FROM annals_foreign ORDER BY last_position DESC LIMIT 1) AS latest
) AS noted
RETURNING last_stamp, annals_store.last_position
