-- Whoever else makes or completes the tables at this moment goes first; held until the connection ends.
SELECT pg_advisory_lock(hashtext('annals tables'))
