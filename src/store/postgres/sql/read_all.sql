-- A page of everything. $1: the position to begin after, $2: the last to read, $3: events at most, $4: bytes at most.
SELECT position, stream, version, id, type, data, metadata, correlation_id, causation_id, created_at, node_id, followed
FROM (
  SELECT place.*,
         sum(octet_length(stream) + octet_length(type) + octet_length(data) + coalesce(octet_length(metadata), 0))
           OVER (ORDER BY position) AS bytes,
         row_number() OVER (ORDER BY position) AS number,
         lead(version) OVER (ORDER BY position) IS NOT NULL AS followed
  FROM (
    SELECT a.stream_version AS position, s.stream_uuid AS stream, a.original_stream_version AS version, e.event_id AS id, e.event_type AS type,
           CAST(e.data AS :data_read) AS data, CAST(e.metadata AS :metadata_read) AS metadata,
           e.correlation_id, e.causation_id, e.created_at,
           CASE WHEN a.stream_version <= (SELECT last_position FROM annals_store)
                THEN (SELECT w.node_id FROM annals_writers AS w WHERE w.first_position <= a.stream_version
                      ORDER BY w.first_position DESC LIMIT 1) END AS node_id
    FROM stream_events AS a
    JOIN events AS e ON e.event_id = a.event_id
    JOIN streams AS s ON s.stream_id = a.original_stream_id
    WHERE a.stream_id = 0 AND a.stream_version > $1::bigint AND a.stream_version <= $2::bigint
    ORDER BY a.stream_version ASC
    LIMIT $3::bigint + 1
  ) AS place
) AS page
WHERE number <= $3::bigint AND (number = 1 OR bytes <= $4::bigint)
ORDER BY number
