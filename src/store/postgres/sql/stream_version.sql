-- The version of a stream's last event. The row of the stream may be ahead of it, where that one was removed. $1: a name.
SELECT coalesce((SELECT own.stream_version
                 FROM stream_events AS own
                 WHERE own.stream_id = streams.stream_id
                 ORDER BY own.stream_version DESC LIMIT 1), 0)
FROM streams
WHERE stream_uuid = $1::text AND stream_id <> 0
