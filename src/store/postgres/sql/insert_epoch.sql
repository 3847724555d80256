-- $1: its number, $2: the position before its first.
INSERT INTO annals_epochs (number, before_position) VALUES ($1::bigint, $2::bigint)
