-- Numbers for streams to come, and beside each the highest that a stream has. $1: how many.
SELECT nextval(counter.name), (SELECT max(stream_id) FROM streams)
FROM (SELECT pg_get_serial_sequence('streams', 'stream_id')::regclass AS name OFFSET 0) AS counter,
     generate_series(1, $1::bigint)
