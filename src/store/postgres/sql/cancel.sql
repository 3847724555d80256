-- Ends the statement of a backend. $1: its process; $2: when it began, in microseconds since 1970, by which it is told
-- from another one that has got its number since.
SELECT pg_cancel_backend(pid)
  FROM pg_stat_get_activity($1::bigint::int)
 WHERE (extract(epoch FROM backend_start) * 1000000)::bigint = $2::bigint
