-- $1: the last position, $2: its time, $3: the server that wrote.
UPDATE annals_store SET last_position = $1::bigint, last_stamp = $2::timestamptz, node_id = $3::bigint
