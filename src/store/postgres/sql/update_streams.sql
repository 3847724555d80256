-- $1: numbers, $2: the versions that they have reached.
UPDATE streams SET stream_version = reached.version
FROM unnest($1::bigint[], $2::bigint[]) AS reached (stream_id, version)
WHERE streams.stream_id = reached.stream_id
