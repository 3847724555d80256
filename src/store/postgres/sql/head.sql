-- How far the events reach, how many epochs there are, the event there, and the one at a position that was seen before.
-- $1: that position.
SELECT stream_version, (SELECT count(*) FROM annals_epochs),
       (SELECT event_id FROM stream_events AS last WHERE last.stream_id = 0 AND last.stream_version = streams.stream_version),
       (SELECT event_id FROM stream_events AS seen WHERE seen.stream_id = 0 AND seen.stream_version = $1::bigint)
FROM streams
WHERE stream_id = 0
