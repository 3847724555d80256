-- Records an event as an append does, under the lock on `$all`, for who wants to know whether that is possible; to be
-- rolled back. The event is as large as a row can be that is kept whole, so that a disk with hardly any room is full. $1: an
-- id that no event has.
WITH recorded AS (
  INSERT INTO events (event_id, event_type, data)
  VALUES ($1::uuid, 'Rehearsed', CAST('{"of":"' || repeat('-', 1900) || '"}' AS :data_type))
  RETURNING event_id
)
INSERT INTO stream_events (event_id, stream_id, stream_version, original_stream_id, original_stream_version)
SELECT recorded.event_id, 0, streams.stream_version + 1, 0, streams.stream_version + 1
FROM recorded, streams
WHERE streams.stream_id = 0
