-- $1: a name.
SELECT stream_version FROM streams WHERE stream_uuid = $1::text AND stream_id <> 0
