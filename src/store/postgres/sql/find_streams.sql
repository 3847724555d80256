-- Those of the named streams that are there. $1: names.
SELECT named.place, streams.stream_id, streams.stream_version
FROM unnest($1::text[]) WITH ORDINALITY AS named (name, place)
JOIN streams ON streams.stream_uuid = named.name
