-- How many of these events are there. $1: ids.
SELECT count(*) FROM events WHERE event_id = ANY ($1::uuid[])
