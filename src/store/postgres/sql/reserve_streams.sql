-- Numbers for streams to come. $1: how many.
SELECT nextval(counter.name)
FROM (SELECT pg_get_serial_sequence('streams', 'stream_id')::regclass AS name OFFSET 0) AS counter,
     generate_series(1, $1::bigint)
