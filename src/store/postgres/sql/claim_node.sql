-- True for the one session that may go by a node id, until it ends. $1: the node id.
SELECT pg_try_advisory_lock(hashtextextended('annals node ' || $1::bigint::text || ' of ' || current_schema(), 0))
