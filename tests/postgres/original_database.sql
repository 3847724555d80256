-- A database as the original service leaves it: the tables that EventStore 1.4 publishes, with data as bytea, and the events of
-- three keys. Several nodes wrote, so times do not rise with the position. Run it with search_path set.
CREATE TABLE streams (
    stream_id bigserial PRIMARY KEY NOT NULL,
    stream_uuid text NOT NULL,
    stream_version bigint default 0 NOT NULL,
    created_at timestamp with time zone DEFAULT NOW() NOT NULL,
    deleted_at timestamp with time zone
);
CREATE UNIQUE INDEX ix_streams_stream_uuid ON streams (stream_uuid);
CREATE TABLE events (
    event_id uuid PRIMARY KEY NOT NULL,
    event_type text NOT NULL,
    causation_id uuid NULL,
    correlation_id uuid NULL,
    data bytea NOT NULL,
    metadata bytea NULL,
    created_at timestamp with time zone DEFAULT NOW() NOT NULL
);
CREATE TABLE stream_events (
    event_id uuid NOT NULL REFERENCES events (event_id),
    stream_id bigint NOT NULL REFERENCES streams (stream_id),
    stream_version bigint NOT NULL,
    original_stream_id bigint REFERENCES streams (stream_id),
    original_stream_version bigint,
    PRIMARY KEY (event_id, stream_id)
);
CREATE UNIQUE INDEX ix_stream_events ON stream_events (stream_id, stream_version);
CREATE TABLE subscriptions (
    subscription_id bigserial PRIMARY KEY NOT NULL,
    stream_uuid text NOT NULL,
    subscription_name text NOT NULL,
    last_seen bigint NULL,
    created_at timestamp with time zone DEFAULT NOW() NOT NULL
);
CREATE TABLE snapshots (
    source_uuid text PRIMARY KEY NOT NULL,
    source_version bigint NOT NULL,
    source_type text NOT NULL,
    data bytea NOT NULL,
    metadata bytea NULL,
    created_at timestamp with time zone DEFAULT NOW() NOT NULL
);
CREATE TABLE schema_migrations (
    major_version int NOT NULL,
    minor_version int NOT NULL,
    patch_version int NOT NULL,
    migrated_at timestamp with time zone DEFAULT NOW() NOT NULL,
    PRIMARY KEY (major_version, minor_version, patch_version)
);
CREATE FUNCTION event_store_exception() RETURNS trigger LANGUAGE plpgsql AS
  'BEGIN RAISE EXCEPTION ''EventStore: %'', TG_ARGV[0]; END';
CREATE TRIGGER no_update_events BEFORE UPDATE ON events FOR EACH STATEMENT EXECUTE PROCEDURE event_store_exception('no');
CREATE TRIGGER no_delete_events BEFORE DELETE ON events FOR EACH STATEMENT EXECUTE PROCEDURE event_store_exception('no');
CREATE TRIGGER no_update_stream_events BEFORE UPDATE ON stream_events FOR EACH STATEMENT EXECUTE PROCEDURE event_store_exception('no');
CREATE FUNCTION notify_events() RETURNS trigger LANGUAGE plpgsql AS
  'BEGIN PERFORM pg_notify(TG_TABLE_SCHEMA || ''.events'', NEW.stream_uuid || '','' || NEW.stream_id || '',1,'' || NEW.stream_version); RETURN NULL; END';
INSERT INTO streams (stream_id, stream_uuid, stream_version) VALUES (0, '$all', 0);
CREATE TRIGGER event_notification AFTER INSERT OR UPDATE ON streams FOR EACH ROW EXECUTE PROCEDURE notify_events();
INSERT INTO schema_migrations (major_version, minor_version, patch_version) VALUES (1, 3, 2);

-- One event, the way an append of the original goes: its stream first, then all.
CREATE FUNCTION original_append(name text, kind text, body text, about text, at timestamptz) RETURNS void LANGUAGE sql AS $$
  WITH stream AS (
    INSERT INTO streams (stream_uuid, stream_version) VALUES (name, 1)
    ON CONFLICT (stream_uuid) DO UPDATE SET stream_version = streams.stream_version + 1
    RETURNING stream_id, stream_version
  ), event AS (
    INSERT INTO events (event_id, event_type, data, metadata, created_at)
    VALUES (gen_random_uuid(), 'Elixir.ConfigApi.Events.' || kind, convert_to(body, 'UTF8'), convert_to(about, 'UTF8'), at)
    RETURNING event_id
  ), place AS (
    UPDATE streams SET stream_version = stream_version + 1 WHERE stream_id = 0 RETURNING stream_version
  ), own AS (
    INSERT INTO stream_events
    SELECT event.event_id, stream.stream_id, stream.stream_version, stream.stream_id, stream.stream_version FROM event, stream
  )
  INSERT INTO stream_events
  SELECT event.event_id, 0, place.stream_version, stream.stream_id, stream.stream_version FROM event, stream, place
$$;

SELECT original_append('config-database_url', 'ConfigValueSet',
  '{"config_name":"database_url","value":"postgres://old","old_value":null,"timestamp":"2026-02-12T10:00:01Z"}', '{}', '2026-02-12T10:00:01Z');
SELECT original_append('config-limit', 'ConfigValueSet',
  '{"config_name":"limit","value":"10","old_value":null,"timestamp":"2026-02-12T10:00:05Z"}', NULL, '2026-02-12T10:00:05Z');
SELECT original_append('config-database_url', 'ConfigValueSet',
  '{"config_name":"database_url","value":"postgres://new","old_value":"postgres://old","timestamp":"2026-02-12T10:00:03Z"}', 'null', '2026-02-12T10:00:03Z');
SELECT original_append('config-limit', 'ConfigValueDeleted',
  '{"config_name":"limit","deleted_value":"10","timestamp":"2026-02-12T10:00:04Z"}', '{}', '2026-02-12T10:00:04Z');
SELECT original_append('config-colour', 'ConfigValueSet',
  '{"config_name":"colour","value":"gr\u00fcn","old_value":null,"timestamp":"2026-02-12T10:00:09Z"}', '{}', '2026-02-12T10:00:09Z');
