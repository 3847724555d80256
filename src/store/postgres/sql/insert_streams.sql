-- $1: numbers, $2: names, $3: versions, $4: times.
INSERT INTO streams (stream_id, stream_uuid, stream_version, created_at)
SELECT * FROM unnest($1::bigint[], $2::text[], $3::bigint[], $4::timestamptz[])
