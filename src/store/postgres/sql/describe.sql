-- Whether the tables are there, what kind of columns events have, whether the schema is there, and whether this is a
-- standby. $1: the schema.
SELECT to_regclass(quote_ident($1::text) || '.streams') IS NOT NULL
         AND to_regclass(quote_ident($1::text) || '.stream_events') IS NOT NULL,
       to_regclass(quote_ident($1::text) || '.annals_store') IS NOT NULL,
       (SELECT format_type(atttypid, NULL) FROM pg_attribute
        WHERE attrelid = to_regclass(quote_ident($1::text) || '.events') AND attname = 'data'),
       (SELECT format_type(atttypid, NULL) FROM pg_attribute
        WHERE attrelid = to_regclass(quote_ident($1::text) || '.events') AND attname = 'metadata'),
       to_regnamespace(quote_ident($1::text)) IS NOT NULL,
       pg_is_in_recovery()
