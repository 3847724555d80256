-- The schema that the library EventStore 1.4 publishes (version 1.3.2 of it), by its names and types, so that either
-- program opens the other's database. :data_type is what events are kept in.
CREATE TABLE streams (
  stream_id bigserial PRIMARY KEY,
  stream_uuid text NOT NULL,
  stream_version bigint NOT NULL DEFAULT 0,
  created_at timestamptz NOT NULL DEFAULT now(),
  deleted_at timestamptz
);
CREATE UNIQUE INDEX ix_streams_stream_uuid ON streams (stream_uuid);

CREATE TABLE events (
  event_id uuid PRIMARY KEY,
  event_type text NOT NULL,
  causation_id uuid,
  correlation_id uuid,
  data :data_type NOT NULL,
  metadata :data_type,
  created_at timestamptz NOT NULL DEFAULT now()
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
  subscription_id bigserial PRIMARY KEY,
  stream_uuid text NOT NULL,
  subscription_name text NOT NULL,
  last_seen bigint,
  created_at timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX ix_subscriptions_stream_uuid_subscription_name ON subscriptions (stream_uuid, subscription_name);

CREATE TABLE snapshots (
  source_uuid text PRIMARY KEY,
  source_version bigint NOT NULL,
  source_type text NOT NULL,
  data :data_type NOT NULL,
  metadata :data_type,
  created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE schema_migrations (
  major_version int NOT NULL,
  minor_version int NOT NULL,
  patch_version int NOT NULL,
  migrated_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (major_version, minor_version, patch_version)
);

-- What was recorded is never changed, and removed only by who says so for the session.
CREATE FUNCTION event_store_exception() RETURNS trigger LANGUAGE plpgsql AS $function$
BEGIN
  RAISE EXCEPTION USING MESSAGE = 'EventStore: ' || TG_ARGV[0];
END
$function$;

CREATE FUNCTION event_store_delete() RETURNS trigger LANGUAGE plpgsql AS $function$
BEGIN
  IF 'on' IN (current_setting('eventstore.enable_hard_deletes', true), current_setting('eventstore.reset', true)) THEN
    RETURN OLD;
  END IF;
  RAISE EXCEPTION USING MESSAGE = 'EventStore: ' || TG_ARGV[0], ERRCODE = 'feature_not_supported';
END
$function$;

CREATE TRIGGER no_delete_streams BEFORE DELETE ON streams
  FOR EACH STATEMENT EXECUTE FUNCTION event_store_delete('Cannot delete streams');
CREATE TRIGGER no_update_events BEFORE UPDATE ON events
  FOR EACH STATEMENT EXECUTE FUNCTION event_store_exception('Cannot update events');
CREATE TRIGGER no_delete_events BEFORE DELETE ON events
  FOR EACH STATEMENT EXECUTE FUNCTION event_store_delete('Cannot delete events');
CREATE TRIGGER no_update_stream_events BEFORE UPDATE ON stream_events
  FOR EACH STATEMENT EXECUTE FUNCTION event_store_exception('Cannot update stream events');
CREATE TRIGGER no_delete_stream_events BEFORE DELETE ON stream_events
  FOR EACH STATEMENT EXECUTE FUNCTION event_store_delete('Cannot delete stream events');

-- Subscribers of the original service listen on "<schema>.events" for "stream_uuid,stream_id,first version,last version".
CREATE FUNCTION notify_events() RETURNS trigger LANGUAGE plpgsql AS $function$
BEGIN
  -- In a condition it is evaluated as an expression; as a statement it would be a query of its own, for every row.
  IF pg_notify(TG_TABLE_SCHEMA || '.events',
               concat_ws(',', NEW.stream_uuid, NEW.stream_id, coalesce(OLD.stream_version, 0) + 1, NEW.stream_version)) IS NULL THEN
    RAISE EXCEPTION 'pg_notify gives an empty value, never none';
  END IF;
  RETURN NULL;
END
$function$;

INSERT INTO streams (stream_id, stream_uuid, stream_version) VALUES (0, '$all', 0);
CREATE TRIGGER event_notification AFTER INSERT OR UPDATE ON streams
  FOR EACH ROW EXECUTE FUNCTION notify_events();
INSERT INTO schema_migrations (major_version, minor_version, patch_version) VALUES (1, 3, 2);
