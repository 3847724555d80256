-- The id of the event at a position. $1: the position.
SELECT event_id FROM stream_events WHERE stream_id = 0 AND stream_version = $1::bigint
