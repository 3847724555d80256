-- Each event in its own stream and in that of all. $1: ids, $2: numbers of the streams, $3: versions there, $4: the
-- position before the first.
WITH placed AS (
  SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::bigint[]) WITH ORDINALITY AS new (event_id, stream_id, version, place)
)
INSERT INTO stream_events (event_id, stream_id, stream_version, original_stream_id, original_stream_version)
SELECT event_id, stream_id, version, stream_id, version FROM placed
UNION ALL
SELECT event_id, 0, $4::bigint + place, stream_id, version FROM placed
