-- The lock that every append of every server takes first, the original service's included (its update of this row takes
-- the same one). Whoever holds it sees the last position, and gives out the next.
SELECT stream_version FROM streams WHERE stream_id = 0 FOR NO KEY UPDATE
