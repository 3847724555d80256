-- Draws numbers that streams have already, and throws them away: setval would take a right that nextval does not take, and
-- could go back behind somebody who draws meanwhile. $1: how many.
SELECT max(drawn.number)
FROM (
  SELECT nextval(counter.name) AS number
  FROM (SELECT pg_get_serial_sequence('streams', 'stream_id')::regclass AS name OFFSET 0) AS counter,
       generate_series(1, $1::bigint)
) AS drawn
