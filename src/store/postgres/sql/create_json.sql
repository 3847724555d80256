-- What an event says, as JSON; null when it is none, or is nested deeper than the database can read. A database made by an
-- older version has it too, and gets this one when it is opened (see describe.sql).
CREATE OR REPLACE FUNCTION annals_json(bytes bytea) RETURNS jsonb LANGUAGE plpgsql IMMUTABLE STRICT AS $function$
BEGIN
  RETURN convert_from(bytes, 'UTF8')::jsonb;
EXCEPTION WHEN OTHERS THEN
  RETURN NULL;
END
$function$
