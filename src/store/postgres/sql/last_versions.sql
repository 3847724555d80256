-- The version of the last event of each stream; 0 when it has none. $1: their numbers.
SELECT named.place,
       coalesce((SELECT own.stream_version
                 FROM stream_events AS own
                 WHERE own.stream_id = named.id
                 ORDER BY own.stream_version DESC LIMIT 1), 0)
FROM unnest($1::bigint[]) WITH ORDINALITY AS named (id, place)
