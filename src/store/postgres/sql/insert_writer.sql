-- $1: the first position, $2: the server that wrote from there on. There is a row already where the tables were made anew.
INSERT INTO annals_writers (first_position, node_id) VALUES ($1::bigint, $2::bigint)
ON CONFLICT (first_position) DO UPDATE SET node_id = excluded.node_id
