-- Whether the tables are there, what kind of columns events have, whether the schema is there, and whether this is a
-- standby; whether there is a function annals_json of an older version that this user may replace; and the first column that
-- should be a bigint and is none. $1: the schema.
SELECT to_regclass(quote_ident($1::text) || '.streams') IS NOT NULL
         AND to_regclass(quote_ident($1::text) || '.stream_events') IS NOT NULL
         AND to_regclass(quote_ident($1::text) || '.events') IS NOT NULL,
       to_regclass(quote_ident($1::text) || '.annals_store') IS NOT NULL
         AND to_regclass(quote_ident($1::text) || '.annals_epochs') IS NOT NULL
         AND to_regclass(quote_ident($1::text) || '.annals_writers') IS NOT NULL
         AND to_regclass(quote_ident($1::text) || '.annals_foreign') IS NOT NULL,
       (SELECT format_type(atttypid, NULL) FROM pg_attribute
        WHERE attrelid = to_regclass(quote_ident($1::text) || '.events') AND attname = 'data'),
       (SELECT format_type(atttypid, NULL) FROM pg_attribute
        WHERE attrelid = to_regclass(quote_ident($1::text) || '.events') AND attname = 'metadata'),
       to_regnamespace(quote_ident($1::text)) IS NOT NULL,
       pg_is_in_recovery(),
       EXISTS (SELECT FROM pg_proc AS p
               WHERE p.pronamespace = to_regnamespace(quote_ident($1::text)) AND p.proname = 'annals_json'
                 AND p.prosrc NOT LIKE '%WHEN OTHERS%' AND pg_has_role(p.proowner, 'USAGE')
                 AND has_schema_privilege(p.pronamespace, 'CREATE')),
       (SELECT wanted.relation || '.' || wanted.name || ' is ' || coalesce('of type ' || format_type(there.atttypid, NULL), 'not there')
        FROM (VALUES ('streams', 'stream_id'), ('streams', 'stream_version'),
                     ('stream_events', 'stream_id'), ('stream_events', 'stream_version'),
                     ('stream_events', 'original_stream_id'), ('stream_events', 'original_stream_version')) AS wanted (relation, name)
        LEFT JOIN pg_attribute AS there
          ON there.attrelid = to_regclass(quote_ident($1::text) || '.' || wanted.relation) AND there.attname = wanted.name
        WHERE there.atttypid IS DISTINCT FROM 'bigint'::regtype
        LIMIT 1)
