-- After that: their latest time is the last. $1: the last position.
UPDATE annals_store
SET last_position = $1::bigint, node_id = 0,
    last_stamp = greatest(last_stamp, (SELECT max(latest) FROM annals_foreign))
RETURNING last_stamp
