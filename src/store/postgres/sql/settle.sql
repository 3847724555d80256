-- $1: a time at or before which nobody stamps any more. Not in another database: $2: a position, $3: the event there.
UPDATE annals_store
SET settled = $1::timestamptz
WHERE settled < $1::timestamptz
  AND coalesce((SELECT event_id FROM stream_events WHERE stream_id = 0 AND stream_version = $2::bigint) = $3::uuid, true)
