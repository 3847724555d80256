-- Tells the servers that share the database to look. $1: who tells.
SELECT pg_notify(current_schema() || '.annals', $1::text)
