-- $1: the last position.
UPDATE streams SET stream_version = $1::bigint WHERE stream_id = 0
