-- Every statement finds its few rows by an index, and shall go on to do so however small a table was when it was first
-- planned. A commit that is reported shall survive; a statement_timeout would end its wait for a standby. A transaction
-- lasts for two round trips: who says nothing within one for a minute has stopped, and shall keep nobody else off.
SELECT set_config('search_path', quote_ident($1::text), false),
       set_config('enable_seqscan', 'off', false),
       set_config('enable_bitmapscan', 'off', false),
       set_config('enable_hashjoin', 'off', false),
       set_config('enable_mergejoin', 'off', false),
       set_config('jit', 'off', false),
       set_config('plan_cache_mode', 'force_generic_plan', false),
       set_config('lock_timeout', '10s', false),
       set_config('statement_timeout', '0', false),
       set_config('default_transaction_read_only', 'off', false),
       set_config('default_transaction_isolation', 'read committed', false),
       set_config('default_transaction_deferrable', 'off', false),
       set_config('synchronous_commit',
                  CASE current_setting('synchronous_commit') WHEN 'off' THEN 'on'
                       ELSE current_setting('synchronous_commit') END, false),
       pg_postmaster_start_time()::text || ' ' || coalesce(to_regclass(quote_ident($1::text) || '.streams')::oid::text, ''),
       pg_backend_pid()::bigint,
       (SELECT count(set_config(name, CASE name WHEN 'idle_in_transaction_session_timeout' THEN '60s' ELSE '0' END, false))
        FROM pg_settings
        WHERE name IN ('idle_in_transaction_session_timeout', 'idle_session_timeout', 'transaction_timeout')),
       (SELECT (extract(epoch FROM backend_start) * 1000000)::bigint FROM pg_stat_get_activity(pg_backend_pid()))
