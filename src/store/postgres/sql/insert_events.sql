-- $1: ids, $2: types, $3: what caused them, $4: correlations, $5: data, $6: metadata, $7: times.
INSERT INTO events (event_id, event_type, causation_id, correlation_id, data, metadata, created_at)
SELECT id, type, causation, correlation, CAST(data AS :data_type), CAST(metadata AS :metadata_type), created_at
FROM unnest($1::uuid[], $2::text[], $3::uuid[], $4::uuid[], CAST($5 AS :data_read[]), CAST($6 AS :metadata_read[]), $7::timestamptz[])
  AS new (id, type, causation, correlation, data, metadata, created_at)
