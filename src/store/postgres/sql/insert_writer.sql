-- $1: the first position, $2: the server that wrote from there on.
INSERT INTO annals_writers (first_position, node_id) VALUES ($1::bigint, $2::bigint)
