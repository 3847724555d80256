-- For people who query: the events in their order, as JSON. What is not JSON is shown as null.
CREATE VIEW annals_events AS
SELECT a.stream_version AS position,
       s.stream_uuid AS stream,
       a.original_stream_version AS version,
       regexp_replace(e.event_type, '^Elixir\.ConfigApi\.Events\.', '') AS event_type,
       annals_json(e.data) AS data,
       annals_json(e.metadata) AS metadata,
       e.created_at,
       e.event_id,
       e.correlation_id,
       e.causation_id
FROM stream_events AS a
JOIN events AS e ON e.event_id = a.event_id
JOIN streams AS s ON s.stream_id = a.original_stream_id
WHERE a.stream_id = 0;
